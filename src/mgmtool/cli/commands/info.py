"""``mgmtool info``."""

from __future__ import annotations

from pathlib import Path

from mgmtool.cli import completion
from mgmtool.cli.console import show_facts
from mgmtool.cli.options import Json
from mgmtool.cli.parameters import PlaceType
from mgmtool.cli.records import argument, as_command, record


@record("output")
class Asked(Json):
    """A store, or one of its videos."""

    store: str | Path = argument(type=PlaceType())
    video_id: str | None = argument(metavar="[ID]", required=False, shell_complete=completion.video_ids)


@as_command
def command(asked: Asked) -> None:
    """Show what a mask store holds, or everything known about one of its videos."""
    from mgmtool.store import Store
    from mgmtool.store.facts import store_facts, video_facts

    store = Store.open(asked.store)
    facts = store_facts(store) if asked.video_id is None else video_facts(store, asked.video_id)
    show_facts(facts, asked.as_json)
