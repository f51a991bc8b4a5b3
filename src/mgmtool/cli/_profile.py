"""Where the time of a run went, as a table on stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

_COLUMNS = 100


def print_profile(profile: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Print seconds, share and microseconds a frame of every stage; of all workers together, and of the driver."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "stage", "seconds", "share", "µs a frame"):
        table.add_column(name, justify="left" if name in {"", "stage"} else "right")
    for who, stages in profile.items():
        for number, (stage, facts) in enumerate(stages.items()):
            numbers = f"{facts['seconds']:.2f}", f"{facts['share']:.1%}", f"{facts['us_per_frame']:.1f}"
            table.add_row("" if number else who, stage, *numbers)
    Console(stderr=True, width=None if sys.stderr.isatty() else _COLUMNS, highlight=False).print(table)
