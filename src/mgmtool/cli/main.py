"""The group of all commands, and what every one of them ends with."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from pathlib import Path
from typing import Any

import click

import mgmtool
from mgmtool.cli import commands
from mgmtool.cli.config import load_config
from mgmtool.cli.exits import Terminated, broken_pipe, fail, open_streams, settle, system_words
from mgmtool.errors import MgmtoolError, UsageError, did_you_mean, one_line

_RESUME = "{}; what was committed stays, run the same command again to go on"


class CommandFolder(click.Group):
    """A group whose commands are the files of ``commands/``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """List the commands, sorted."""
        return sorted(module.name for module in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{commands.__name__}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a line, or name the nearest one."""
        known, name = self.list_commands(ctx), args[0]
        if not (name in known or name.startswith("-") or ctx.resilient_parsing):
            raise click.UsageError(f"No such command {name!r}{did_you_mean(name, known)}; see mgmtool --help", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; if stdout is closed, it ends as any other program does."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            ctx.exit(broken_pipe())  # before click, which says 1


@click.group(
    cls=CommandFolder,
    context_settings={"auto_envvar_prefix": "MGMTOOL", "help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(mgmtool.__version__, prog_name="mgmtool")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=load_config,
    expose_value=False,
    is_eager=True,
    help="TOML file with a table of options per command; a flag or an MGMTOOL_* variable wins over it.",
)
def cli() -> None:
    """Motion-guided masks for video pretraining, from the motion vectors inside the compressed stream."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command and end the process with the exit code that docs/cli.md promises."""
    # If colorama is installed, Numba would make it write an escape code at the end, whatever the terminal.
    os.environ.setdefault("NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING", "1")
    open_streams()
    try:
        code: Any = cli.main(arguments, prog_name="mgmtool", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.exceptions.Abort):
        code = fail(_RESUME.format("interrupted"), 130)
    except Terminated as end:
        code = fail(_RESUME.format("terminated"), end.code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        code = fail(one_line(error.format_message()), error.exit_code)
    except BrokenPipeError:
        code = broken_pipe()
    except MgmtoolError as error:
        code = fail(one_line(str(error)), 2 if isinstance(error, UsageError) else 1)
    except MemoryError as error:
        code = fail(one_line(f"out of memory: {error}".removesuffix(": ")), 1)
    except OSError as error:
        code = fail(one_line(system_words(error)), 1)
    settle(sys.stdout)
    settle(sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)
