"""What ``mgmtool verify`` does between its options and the library."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from mgmtool.cli._exit import DONE, SOME_FAILED, can_draw, wants_color
from mgmtool.cli._tables import json_line
from mgmtool.errors import one_line
from mgmtool.store import Finding, VerifyProgress, verify

_COLORS = {"error": "red", "note": "yellow"}


def run(store: str | Path, deep: bool, as_json: bool, quiet: bool) -> int:
    """Check a store, print what is found, and return the exit code."""
    start, progress, counts = perf_counter(), VerifyProgress(), Counter[str]()
    with closing(_Bar(quiet or as_json)) as bar:
        for finding in verify(store, deep=deep, progress=progress, on_part=bar.move):
            counts[finding.severity] += 1
            if as_json:
                click.echo(json_line({"event": "finding", **asdict(finding)}))
            elif finding.severity == "error" or not quiet:
                bar.say(_line(finding))
    _report(store, progress, counts, perf_counter() - start, as_json, quiet)
    return SOME_FAILED if counts["error"] else DONE


def _line(finding: Finding) -> str:
    names = [finding.file, finding.id if finding.id is None else repr(finding.id)]
    where = [name for name in names if name is not None] or ([] if finding.part is None else [f"part {finding.part}"])
    if finding.file is None and finding.id is not None and finding.part is not None:
        where = [f"part {finding.part}", *where]
    word = click.style(finding.severity, fg=_COLORS[finding.severity])
    return f"{word}: {one_line(' '.join(where))}: {one_line(finding.message)}"


def _report(
    store: str | Path, progress: VerifyProgress, counts: Counter[str], seconds: float, as_json: bool, quiet: bool
) -> None:
    ends: dict[str, Any] = {"errors": counts["error"], "notes": counts["note"]}
    checked = {name: getattr(progress, name) for name in ("parts", "videos", "frames", "files", "bytes")}
    if as_json:
        click.echo(
            json_line({"event": "summary", "store": str(store), **checked, **ends, "seconds": round(seconds, 3)})
        )
    elif not quiet:
        words = [f"{value} {name}" for name, value in checked.items()]
        words[-1] += " read"
        found = ", ".join(f"{value} {name}" for name, value in ends.items())
        click.echo(f"{one_line(str(store))}: {', '.join(words)}; {found}; {seconds:.1f} s")


class _Bar:
    """A bar over the parts on a terminal; nothing elsewhere."""

    def __init__(self, hidden: bool) -> None:
        self._shown = not hidden and can_draw()
        self._bar: Any = None

    def move(self, progress: VerifyProgress) -> None:
        """Count one more part."""
        if self._shown and self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=progress.of_parts, unit="part", file=sys.stderr, dynamic_ncols=True)
        if self._bar is not None:
            self._bar.update()

    def say(self, line: str) -> None:
        """Print a line on stdout, above the bar."""
        if self._bar is None:
            click.echo(line, color=wants_color())
            return
        plain = wants_color() is False or not sys.stdout.isatty()
        self._bar.write(click.unstyle(line) if plain else line, file=sys.stdout)

    def close(self) -> None:
        """Leave the last state of the bar on the screen."""
        if self._bar is not None:
            self._bar.close()
