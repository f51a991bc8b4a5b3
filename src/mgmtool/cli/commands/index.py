"""``mgmtool index``."""

from __future__ import annotations

from pathlib import Path

import click

from mgmtool.cli.parameters import PlaceType
from mgmtool.cli.records import argument, as_command, record
from mgmtool.cli.words import shown


@record("inputs")
class Target:
    """The store whose index is written."""

    store: str | Path = argument(type=PlaceType())


@as_command
def command(target: Target) -> None:
    """Rebuild index.parquet of a mask store from the records of its parts.

    Runs with --shard leave this to the last one to finish. Nothing else that a reader sees is changed.

    Exit codes: 0 the index is written, 1 there is no mask store or it cannot be written, 2 wrong usage.
    """
    from mgmtool.store import rebuild_index

    rows, parts = rebuild_index(target.store)
    click.echo(f"{shown(target.store)}: {rows} rows of {parts} parts")
