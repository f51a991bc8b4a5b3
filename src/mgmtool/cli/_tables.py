"""Facts as tables for people and as JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mgmtool.errors import one_line
from mgmtool.plugins import Family, default_options

_PIPE_COLUMNS = 10_000
_NARROW_COLUMNS = 120


def console() -> Console:
    """Return a console on stdout that never wraps in a pipe; rich itself keeps NO_COLOR and TERM=dumb."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS, highlight=False)


def narrow() -> bool:
    """Whether ids and messages side by side would both be folded on this terminal."""
    return console().width < _NARROW_COLUMNS


def show(table: Table) -> None:
    """Print a table on stdout. On a narrow terminal, words are folded, not cut; lines end where their text ends."""
    for column in table.columns:
        column.overflow = "fold"
    drawn = console()
    with drawn.capture() as text:
        drawn.print(table)
    click.echo("\n".join(line.rstrip() for line in text.get().splitlines()), color=True)  # rich has decided on colours


def json_line(value: Any) -> str:
    """Return JSON on one line, in which everything that a terminal might act on or turn around is escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def print_facts(facts: Mapping[str, Any], as_json: bool) -> None:
    """Print names and values, nested ones on lines of their own."""
    if as_json:
        click.echo(json_line(facts))
        return
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(f"[bold]{name}[/bold]", escape(_text(value)))
    show(table)


def print_plugins(family: Family[Any], as_json: bool) -> None:
    """Print name, summary and options with their defaults."""
    rows = {name: (family.summary(name), default_options(family.load(name))) for name in family.names()}
    if as_json:
        click.echo(
            json.dumps({name: {"summary": text, "options": defaults} for name, (text, defaults) in rows.items()})
        )
        return
    table = Table.grid(padding=(0, 2))
    for name, (text, defaults) in rows.items():
        shown = " ".join(f"{key}={'auto' if value is None else value}" for key, value in defaults.items())
        table.add_row(f"[bold]{name}[/bold]", escape(text) + (f" [dim]{escape(shown)}[/dim]" if shown else ""))
    show(table)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None else one_line(str(value))
