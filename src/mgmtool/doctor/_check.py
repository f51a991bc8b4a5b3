"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    group, name : str
        What it is.
    value : str, int, float or None
        What was found; None is nothing.
    state : str
        ``ok``; ``missing``: a feature is not there, all else works; ``broken``: something that every run needs.
    note : str
        What it means, or what to do.
    """

    group: str
    name: str
    value: str | int | float | None
    state: Literal["ok", "missing", "broken"] = "ok"
    note: str = ""
