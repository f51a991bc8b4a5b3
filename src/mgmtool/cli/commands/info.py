"""``mgmtool info``."""

from __future__ import annotations

from pathlib import Path

import click

from mgmtool.cli import _completion, options


@click.command(name="info")
@click.argument("store", type=options.PlaceType())
@click.argument("video_id", metavar="[ID]", required=False, shell_complete=_completion.video_ids)
@options.json_output
def command(store: str | Path, video_id: str | None, as_json: bool) -> None:
    """Show what a mask store holds, or all that is known of one of its videos."""
    from mgmtool.cli._info import store_facts, video_facts
    from mgmtool.cli._tables import print_facts
    from mgmtool.store import Store

    opened = Store.open(store)
    print_facts(store_facts(opened) if video_id is None else video_facts(opened, video_id), as_json)
