"""Tables of a report: cells with a text to show and a value to sort by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mgmtool.errors import one_line

_LONGEST = 200
"""Most characters of a cell; an id may have thousands."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text : str
        The text.
    sort : float or None
        The value to sort by; None to sort by the text.
    share : float or None
        0..1, drawn as a bar; None for no bar.
    kind : str
        ``name``, ``number`` or ``words``.
    """

    text: str
    sort: float | None = None
    share: float | None = None
    kind: str = "number"


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes
    ----------
    id : str
        Id of the HTML element.
    caption : str
        What the table lists.
    columns : sequence of str
        Headings.
    rows : list of list of Cell
        One cell per column.
    more : str
        What is left out and where to find it; empty if the table is complete.
    """

    id: str
    caption: str
    columns: Sequence[str]
    rows: list[list[Cell]] = field(default_factory=list)
    more: str = ""


def name(value: Any) -> Cell:
    """Make the cell of a name: monospaced, cut in the middle if it is very long."""
    return Cell(shortened(str(value)), kind="name")


def words(value: Any) -> Cell:
    """Make a cell of running text."""
    return Cell(shortened(str(value)), kind="words")


def count(value: float) -> Cell:
    """Make a cell of a whole number."""
    return Cell(f"{value:,.0f}", value)


def share(value: float, bar: bool = False) -> Cell:
    """Make a cell of a share."""
    return Cell(percent(value), value, share=value if bar else None)


def seconds(value: float) -> Cell:
    """Make a cell of a time in seconds."""
    return Cell(f"{value:,.2f} s" if value < 100 else f"{value:,.0f} s", value)


def number(value: float) -> str:
    """Write a number with three digits, or whole."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def percent(value: float) -> str:
    """Write a share with three digits or one decimal."""
    return f"{value:.2%}" if 0 < value < 0.1 else f"{value:.1%}"


def size(value: float) -> str:
    """Write bytes in the largest unit that leaves a whole number before the decimal point."""
    units = ("bytes", "kB", "MB", "GB", "TB", "PB")
    power = 0
    while value >= 1000 and power < len(units) - 1:
        value, power = value / 1000, power + 1
    return f"{value:.3g} {units[power]}" if value < 999.5 else f"{value:.0f} {units[power]}"


def hours(value: float) -> str:
    """Write a time given in hours, in hours, minutes or seconds."""
    if value >= 1:
        return f"{value:,.1f} h"
    return f"{value * 60:.1f} min" if value * 60 >= 1 else f"{value * 3600:.0f} s"


def shortened(text: str) -> str:
    """Make a text one line without control characters, cut in the middle if it is long."""
    text = one_line(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
