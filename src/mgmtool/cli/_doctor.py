"""What ``mgmtool doctor`` does between its options and the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from mgmtool.cli._exit import DONE, FATAL
from mgmtool.cli._tables import json_line, show
from mgmtool.doctor import Check, checks
from mgmtool.errors import one_line

_STYLES = {"ok": "green", "missing": "yellow", "broken": "red"}


def run(path: Path | None, as_json: bool) -> int:
    """Print all checks and return the exit code."""
    found = list(checks(path))
    broken = [check for check in found if check.state == "broken"]
    if as_json:
        click.echo(json_line({"ok": not broken, "checks": [asdict(check) for check in found]}))
    else:
        _print(found)
    return FATAL if broken else DONE


def _print(found: Sequence[Check]) -> None:
    table = Table.grid(padding=(0, 2))
    for check in found:
        name, state = f"[bold]{escape(check.name)}[/bold]", f"[{_STYLES[check.state]}]{check.state}[/]"
        note = f"  [dim]{escape(one_line(check.note))}[/dim]" if check.note else ""
        table.add_row(check.group, name, state, escape(one_line(_value(check))) + note)
    show(table)
    click.echo(_summary(found))


def _value(check: Check) -> str:
    return "-" if check.value is None else str(check.value)


def _summary(found: Sequence[Check]) -> str:
    broken, missing = (
        ", ".join(check.name for check in found if check.state == state) for state in ("broken", "missing")
    )
    words = f"broken: {broken}" if broken else "all that is needed works"
    return f"{words}; missing: {missing}" if missing else words
