"""What ``mgmtool failures`` does between its options and the library."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from mgmtool.cli._tables import json_line, narrow, show
from mgmtool.errors import FAILURE_CLASSES, UsageError, did_you_mean, one_line
from mgmtool.store import FailedVideo, Store, failed_videos


def run(store: str | Path, classes: Sequence[str], paths_only: bool, nul: bool, as_json: bool) -> None:
    """List failed videos as a table, as paths or as JSON."""
    _check(classes, paths_only, nul, as_json)
    videos = failed_videos(Store.open(store), classes)
    if paths_only:
        _print_paths(videos, nul)
    elif as_json:
        _print_json(store, videos)
    else:
        _print_table(store, videos)


def _check(classes: Sequence[str], paths_only: bool, nul: bool, as_json: bool) -> None:
    for name in classes:
        if name not in FAILURE_CLASSES:
            hint = did_you_mean(name, FAILURE_CLASSES)
            raise UsageError(f"unknown failure class {name!r}{hint}; expected one of: {', '.join(FAILURE_CLASSES)}")
    if paths_only and as_json:
        raise UsageError("--paths-only and --json: expected one of them, for both decide what stdout holds")
    if nul and not paths_only:
        raise UsageError("-0 ends the paths of --paths-only; expected --paths-only, too")


def _print_paths(videos: Sequence[FailedVideo], nul: bool) -> None:
    """Print paths for other programs: as they are, but for a terminal, which may act on what is in them."""
    shown = one_line if not nul and sys.stdout.isatty() else str
    for video in videos:
        click.echo(shown(video.path) + ("\0" if nul else "\n"), nl=False)


def _print_json(store: str | Path, videos: Sequence[FailedVideo]) -> None:
    for video in videos:
        click.echo(json_line({"event": "failure", **asdict(video)}))
    summary = {"event": "summary", "store": str(store), "failed": len(videos), "failures": _counts(videos)}
    click.echo(json_line(summary))


def _print_table(store: str | Path, videos: Sequence[FailedVideo]) -> None:
    table = Table.grid(padding=(0, 2))
    for video in videos:
        cells = [escape(one_line(text)) for text in (video.id, video.message)]
        table.add_row(f"[bold]{video.failure}[/bold]", *(["\n".join(cells)] if narrow() else cells))
    if videos:
        show(table)
    classes = ", ".join(f"{count} {name}" for name, count in _counts(videos).items())
    click.echo(f"{one_line(str(store))}: {len(videos)} failed{f' ({classes})' if classes else ''}")


def _counts(videos: Sequence[FailedVideo]) -> dict[str, int]:
    return dict(Counter(video.failure for video in videos).most_common())
