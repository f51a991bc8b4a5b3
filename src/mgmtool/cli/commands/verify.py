"""``mgmtool verify``."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import click

from mgmtool.cli.console import json_line
from mgmtool.cli.exits import DONE, SOME_FAILED
from mgmtool.cli.options import Talk
from mgmtool.cli.parameters import PlaceType
from mgmtool.cli.records import argument, as_command, option, record
from mgmtool.cli.words import shown
from mgmtool.errors import one_line

_COLORS = {"error": "red", "note": "yellow"}


@record("output")
class Check(Talk):
    """What is checked, and what is told of it."""

    store: str | Path = argument(type=PlaceType())
    deep: bool = option(
        "--deep", is_flag=True, help="Read every byte: checksums of all files, and the content of every frame."
    )
    as_json: bool = option("--json", is_flag=True, help="Print one JSON object per finding, and a summary, on stdout.")


@as_command
def command(check: Check) -> int:
    """Check that a mask store is whole, and write nothing.

    With --quiet, only errors are printed: no notes, no summary.

    Exit codes: 0 no errors (there may be notes), 1 there is no mask store, 2 wrong usage, 3 something is damaged.
    """
    from mgmtool.storage import public
    from mgmtool.store import VerifyProgress, verify

    start, read, counts = perf_counter(), VerifyProgress(), Counter[str]()
    with check.draw(None, unit="part") as progress:

        def move(checked: VerifyProgress) -> None:
            progress.total = checked.of_parts
            progress.move(checked.parts, checked.frames)

        for finding in verify(check.store, deep=check.deep, progress=read, on_part=move):
            counts[finding.severity] += 1
            if check.as_json:
                progress.show(json_line({"event": "finding", **asdict(finding)}))
            elif finding.severity == "error" or not check.quiet:
                word = click.style(finding.severity, fg=_COLORS[finding.severity])
                progress.show(f"{word}: {one_line(finding.where)}: {one_line(finding.message)}")
    seconds, found = perf_counter() - start, {"errors": counts["error"], "notes": counts["note"]}
    checked = {name: getattr(read, name) for name in ("parts", "videos", "frames", "files", "bytes")}
    if check.as_json:
        facts = {"event": "summary", "store": public(check.store), **checked, **found, "seconds": round(seconds, 3)}
        click.echo(json_line(facts))
    elif not check.quiet:
        words = ", ".join(f"{value} {name}" for name, value in checked.items()) + " read"
        problems = ", ".join(f"{value} {name}" for name, value in found.items())
        click.echo(f"{shown(check.store)}: {words}; {problems}; {seconds:.1f} s")
    return SOME_FAILED if counts["error"] else DONE
