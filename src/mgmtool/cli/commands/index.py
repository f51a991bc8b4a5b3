"""``mgmtool index``."""

from __future__ import annotations

from pathlib import Path

import click

from mgmtool.cli import options


@click.command(name="index")
@click.argument("store", type=options.PlaceType())
def command(store: str | Path) -> None:
    """Write index.parquet of a mask store anew, from the records of its parts.

    A run with --shard leaves that to whoever ends last. Nothing else that a reader sees is changed.

    Exit codes: 0 it is written, 1 no mask store is there or it cannot be written, 2 wrong usage.
    """
    from mgmtool.errors import one_line
    from mgmtool.store import rebuild_index

    rows, parts = rebuild_index(store)
    click.echo(f"{one_line(str(store))}: {rows} rows of {parts} parts")
