"""``mgmtool repair``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mgmtool.cli.console import json_line
from mgmtool.cli.exits import DONE, SOME_FAILED
from mgmtool.cli.options import Talk
from mgmtool.cli.parameters import PlaceType
from mgmtool.cli.records import argument, as_command, option, record
from mgmtool.cli.words import shown
from mgmtool.errors import one_line

if TYPE_CHECKING:
    from mgmtool.store import Repair


@record("output")
class Target(Talk):
    """The store that is repaired, and what is told of it."""

    store: str | Path = argument(type=PlaceType())
    dry_run: bool = option(
        "--dry-run", is_flag=True, help="Write nothing; only say what is wrong and what would be done."
    )
    as_json: bool = option("--json", is_flag=True, help="Print one JSON object per finding, and a summary, on stdout.")


@as_command
def command(target: Target) -> int:
    """Drop what cannot be trusted in a mask store, so that the same extract command makes it whole again.

    Every byte is read, as by verify --deep. A part with an error is removed and goes back to what is to be done; a root that is
    lost, damaged or edited is rebuilt from the commit records; index.parquet is rebuilt. Whatever is sound stays as it is.
    Refuses while a run is writing the store.

    Exit codes: 0 nothing was wrong, or it is repaired; 1 there is no mask store, it is being written, or it cannot be repaired;
    2 wrong usage; 3 something is wrong, with --dry-run.
    """
    from mgmtool.storage import public
    from mgmtool.store import VerifyProgress, repair

    with target.draw(None, unit="part") as progress:

        def move(checked: VerifyProgress) -> None:
            progress.total = checked.of_parts
            progress.move(checked.parts, checked.frames)

        found = repair(target.store, dry_run=target.dry_run, on_part=move)
    name = shown(target.store)
    if target.as_json:
        for finding in found.findings:
            click.echo(json_line({"event": "finding", **asdict(finding)}))
        facts = {key: value for key, value in asdict(found).items() if key != "findings"}
        wrong = {"wrong": found.wrong, "dry_run": target.dry_run}
        click.echo(json_line({"event": "summary", "store": public(target.store), **wrong, **facts}))
    else:
        for finding in found.findings:
            word = click.style(finding.severity, fg="red" if finding.severity == "error" else "yellow")
            click.echo(f"{word}: {one_line(finding.where)}: {one_line(finding.message)}")
        if not target.quiet:
            for words in _steps(found, "would be " if target.dry_run else ""):
                click.echo(f"{name}: {words}")
    return SOME_FAILED if found.wrong and target.dry_run else DONE


def _steps(found: Repair, would: str) -> list[str]:
    """Say what was done, or would be."""
    steps = []
    if found.root:
        steps.append(f"zarr.json {would}rebuilt from the commit records")
    if found.dropped:
        steps.append(f"{would}dropped: {_parts(sorted(found.dropped))}")
    if found.missing or found.lost:
        known = [_parts(sorted(found.missing))] if found.missing else []
        more = [f"{found.lost} of unknown number"] if found.lost else []
        steps.append(f"nothing is left of {' and '.join(known + more)}")
    if found.index:
        steps.append(f"index.parquet {would}rebuilt")
    if not steps:
        return [f"nothing is wrong; {found.kept} parts"]
    again = "; the same extract command makes it whole" if found.dropped or found.missing or found.lost else ""
    return [*steps, f"{found.kept} parts are sound and stay as they are{again}"]


def _parts(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:20])) + (f" and {len(numbers) - 20} more" if len(numbers) > 20 else "")
    return f"{'part' if len(numbers) == 1 else 'parts'} {shown}"
