"""``mgmtool doctor``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from mgmtool.cli.console import grid, json_line, show
from mgmtool.cli.exits import DONE, FATAL
from mgmtool.cli.options import Json
from mgmtool.cli.records import argument, as_command, record
from mgmtool.errors import one_line

_STYLES = {"ok": "green", "missing": "yellow", "broken": "red"}


@record("output")
class Place(Json):
    """Where a store is to be written."""

    path: Path | None = argument(required=False, type=click.Path(path_type=Path))


@as_command
def command(place: Place) -> int:
    """Check that mgmtool can work here: versions, codecs, CPUs, memory, disks, extras.

    PATH is the folder that is to hold a mask store, by default the current one. A small file is created there, locked and
    removed.

    Exit codes: 0 all that is needed works (optional features may be missing), 1 something is broken, 2 wrong usage.
    """
    from rich.markup import escape

    from mgmtool.doctor import checks

    found = list(checks(place.path))
    broken = [check.name for check in found if check.state == "broken"]
    missing = [check.name for check in found if check.state == "missing"]
    if place.as_json:
        click.echo(json_line({"ok": not broken, "checks": [asdict(check) for check in found]}))
    else:
        table = grid()
        for check in found:
            value = "-" if check.value is None else one_line(str(check.value))
            note = f"  [dim]{escape(one_line(check.note))}[/dim]" if check.note else ""
            state = f"[{_STYLES[check.state]}]{check.state}[/]"
            table.add_row(check.group, f"[bold]{escape(check.name)}[/bold]", state, escape(value) + note)
        show(table)
        words = f"broken: {', '.join(broken)}" if broken else "all that is needed works"
        click.echo(f"{words}; missing: {', '.join(missing)}" if missing else words)
    return FATAL if broken else DONE
