"""What TAB offers for an option or an argument; only the ids of a store import anything heavy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from mgmtool import plugins

if TYPE_CHECKING:
    Item = CompletionItem[str]
else:  # click before 8.4 knows no type arguments
    Item = CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], list[Item]]

_MOST_IDS = 1000
"""Most ids that are offered: given more words than fit on a screen, a shell only asks whether to show them."""


def plugin_names(family: str) -> Complete:
    """Offer the plug-ins of a family."""

    def complete(_ctx: click.Context, _parameter: click.Parameter, start: str) -> list[Item]:
        return [CompletionItem(name) for name in plugins.FAMILIES[family].names() if name.startswith(start)]

    return complete


def failure_classes(_ctx: click.Context, _parameter: click.Parameter, start: str) -> list[Item]:
    """Offer the failure classes."""
    from mgmtool.errors import FAILURE_CLASSES

    return [CompletionItem(name) for name in FAILURE_CLASSES if name.startswith(start)]


def files(_ctx: click.Context, _parameter: click.Parameter, start: str) -> list[Item]:
    """Let the shell offer files and folders."""
    return [CompletionItem(start, type="file")]


def stores(_ctx: click.Context, _parameter: click.Parameter, start: str) -> list[Item]:
    """Offer the folders here named ``*.zarr``; if none match, let the shell offer all folders."""
    name = start.rpartition("/")[2]
    before = start.removesuffix(name) if name else start
    try:
        found = sorted(entry.name for entry in Path(before or ".").glob("*.zarr") if entry.name.startswith(name))
    except OSError:
        found = []
    return [CompletionItem(before + entry) for entry in found] or [CompletionItem(start, type="dir")]


def video_ids(ctx: click.Context, _parameter: click.Parameter, start: str) -> list[Item]:
    """Offer ids of the store named earlier on the line; none if it is a URL or cannot be read."""
    store = str(ctx.params.get("store") or "")
    from mgmtool.storage import is_url

    if not store or is_url(store):
        return []
    try:
        from mgmtool.store import Store

        ids = Store.open(store).index["id"].to_pylist()
    except Exception:  # noqa: BLE001  a traceback in the middle of a line that is being typed helps nobody
        return []
    return [CompletionItem(name) for name in islice((i for i in ids if i.startswith(start)), _MOST_IDS)]
