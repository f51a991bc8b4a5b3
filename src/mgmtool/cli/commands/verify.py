"""``mgmtool verify``."""

from __future__ import annotations

from pathlib import Path

import click

from mgmtool.cli import options


@click.command(name="verify")
@click.argument("store", type=options.PlaceType())
@click.option("--deep", is_flag=True, help="Read every byte: checksums of all files, and what holds in every frame.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a finding, and a summary, on stdout.")
@click.option("-q", "--quiet", is_flag=True, help="No notes, no summary and no progress.")
@click.pass_context
def command(ctx: click.Context, store: str | Path, deep: bool, as_json: bool, quiet: bool) -> None:
    """Check that a mask store is whole. Nothing is written.

    Exit codes: 0 no error (there may be notes), 1 no mask store is there, 2 wrong usage, 3 something is damaged.
    """
    from mgmtool.cli._verify import run

    ctx.exit(run(store, deep, as_json, quiet))
