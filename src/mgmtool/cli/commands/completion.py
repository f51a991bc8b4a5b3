"""``mgmtool completion``."""

from __future__ import annotations

import click

from mgmtool.cli.records import argument, as_command, record


@record("inputs")
class Shell:
    """Who completes."""

    shell: str = argument(type=click.Choice(["bash", "zsh", "fish"]))


@as_command
def command(wanted: Shell) -> None:
    """Print the script that makes a shell complete commands, options, names, stores and ids.

    bash: eval "$(mgmtool completion bash)" in ~/.bashrc

    zsh: eval "$(mgmtool completion zsh)" in ~/.zshrc, after compinit

    fish: mgmtool completion fish | source in ~/.config/fish/config.fish
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    kind = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}[wanted.shell]
    group = click.get_current_context().find_root().command
    click.echo(kind(group, {}, "mgmtool", "_MGMTOOL_COMPLETE").source())
