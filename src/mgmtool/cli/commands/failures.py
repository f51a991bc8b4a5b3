"""``mgmtool failures``."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click

from mgmtool.cli import completion
from mgmtool.cli.console import grid, json_line, narrow, show
from mgmtool.cli.parameters import PlaceType
from mgmtool.cli.records import argument, as_command, option, record
from mgmtool.cli.words import counted, shown
from mgmtool.errors import FAILURE_CLASSES, PASSING, UsageError, did_you_mean, one_line


@record("output")
class Listing:
    """Which failed videos are listed, and how."""

    store: str | Path = argument(type=PlaceType())
    classes: tuple[str, ...] = option(
        "--failure",
        multiple=True,
        metavar="CLASS",
        shell_complete=completion.failure_classes,
        help="List only this failure class; may be repeated.",
    )
    paths_only: bool = option("--paths-only", is_flag=True, help="Print only the paths, one per line.")
    nul: bool = option("-0", is_flag=True, help="With --paths-only: end paths with NUL instead of newline.")
    as_json: bool = option("--json", is_flag=True, help="Print one JSON object per video, and a summary, on stdout.")

    def check(self) -> None:
        """Refuse what cannot be given together.

        Raises
        ------
        UsageError
        """
        for name in self.classes:
            if name not in FAILURE_CLASSES:
                known = f"{did_you_mean(name, FAILURE_CLASSES)}; expected one of: {', '.join(FAILURE_CLASSES)}"
                raise UsageError(f"unknown failure class {name!r}{known}")
        if self.paths_only and self.as_json:
            raise UsageError("--paths-only and --json: expected only one of them, since each decides what stdout holds")
        if self.nul and not self.paths_only:
            raise UsageError("-0 ends the paths of --paths-only; expected --paths-only, too")


@as_command
def command(listing: Listing) -> None:
    """List the videos of a mask store that failed, by class, and say which the next extract tries again.

    Exit codes: 0 the list is printed, even if it is empty; 1 there is no mask store; 2 wrong usage.
    """
    from rich.markup import escape

    from mgmtool.storage import public
    from mgmtool.store import Store, failed_videos

    listing.check()
    videos = failed_videos(Store.open(listing.store), listing.classes)
    counts = Counter(video.failure for video in videos)
    if listing.paths_only:
        # Paths go to other programs as they are, except to a terminal, which may act on what is in them.
        written = one_line if not listing.nul and sys.stdout.isatty() else str
        for video in videos:
            click.echo(written(video.path) + ("\0" if listing.nul else "\n"), nl=False)
    elif listing.as_json:
        for video in videos:
            click.echo(json_line({"event": "failure", **asdict(video), "retried": video.failure in PASSING}))
        facts = {"store": public(listing.store), "failed": len(videos), "failures": dict(counts.most_common())}
        facts["retried"] = sum(counts[name] for name in PASSING)
        click.echo(json_line({"event": "summary", **facts}))
    else:
        table = grid()
        for video in videos:
            cells = [escape(one_line(text)) for text in (video.id, video.message)]
            table.add_row(f"[bold]{video.failure}[/bold]", *(["\n".join(cells)] if narrow() else cells))
        if videos:
            show(table)
        classes = f" ({counted(counts)})" if counts else ""
        passing = sum(counts[name] for name in PASSING)
        again = f"; {passing} of {' and '.join(PASSING)} are tried again by the next extract" if passing else ""
        click.echo(f"{shown(listing.store)}: {len(videos)} failed{classes}{again}")
