"""``mgmtool doctor``."""

from __future__ import annotations

from pathlib import Path

import click

from mgmtool.cli import options


@click.command(name="doctor")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@options.json_output
@click.pass_context
def command(ctx: click.Context, path: Path | None, as_json: bool) -> None:
    """Check that mgmtool can work here: versions, codecs, CPUs, memory, disks, extras.

    PATH is the folder in which a mask store shall lie, by default the current one. A small file is made there, locked and
    removed.

    Exit codes: 0 all that is needed works (features may be missing), 1 something is broken, 2 wrong usage.
    """
    from mgmtool.cli._doctor import run

    ctx.exit(run(path, as_json))
