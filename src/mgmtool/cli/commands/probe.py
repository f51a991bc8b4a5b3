"""``mgmtool probe``."""

from __future__ import annotations

from typing import Any

import click

from mgmtool.cli import _completion, options


@click.command(name="probe")
@click.argument("inputs", nargs=-1, metavar="INPUT...", shell_complete=_completion.files)
@options.reading_options
@options.input_options
@options.engine_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file, and a summary, on stdout.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Say what extract will make of every file, from its first frames, and sum up by codec.

    INPUT is a file, a folder (walked recursively), a glob pattern, or - for a list of paths on stdin.

    Exit codes: 0 every file can be read, 1 fatal error, 2 wrong usage, 3 some files cannot be read.
    """
    from mgmtool.cli._probe import Request, run

    ctx.exit(run(Request(**given)))
