"""What the runs that made a store say of themselves, as far as it tells whether something was lost since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from mgmtool.storage import Place
from mgmtool.store.layout import RUNS

FOLDER = "runs"
_IN_ORDER = {"inline", "local"}
"""Engines that commit parts in the order of their numbers."""


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The runs of a store.

    Attributes
    ----------
    going_on : bool
        Whether a run holds the store, or, where there are no locks, the last one has not said that it ended.
    committed : int
        Parts that runs committed, less those that were dropped; runs that were killed are not counted.
    dropped : frozenset of int
        Parts that ``mgmtool repair`` dropped.
    scattered : bool
        Whether parts were made out of order, so that a part number that is not there means nothing.
    known : bool
        Whether any run left a record.
    """

    going_on: bool = False
    committed: int = 0
    dropped: frozenset[int] = frozenset()
    scattered: bool = False
    known: bool = False

    @classmethod
    def of(cls, place: Place) -> Self:
        """Read the records of runs; those that cannot be read are left out."""
        committed, scattered, known, dropped, last = 0, False, False, set[int](), ""
        for run in _runs(place):
            last = str(run.get("status"))
            known |= last != "repaired"
            committed += _count(run.get("parts")) - _count(run.get("lost"))
            gone = run.get("dropped")
            numbers = [number for number in gone if _count(number) or number == 0] if isinstance(gone, list) else []
            committed -= len(numbers)
            dropped.update(numbers)
            engine = run.get("engine")
            in_order = isinstance(engine, dict) and engine.get("name") in _IN_ORDER
            scattered |= not str(run.get("shard", "0/1")).endswith("/1") or not (
                in_order or last in {"finished", "repaired"}
            )
        going_on = place.held(RUNS, 0) if place.excludes else last == "running"
        return cls(going_on, committed, frozenset(dropped), scattered, known)


def _runs(place: Place) -> Iterator[dict[str, Any]]:
    for name in place.names(FOLDER):
        if name.endswith(".json") and not name.startswith("."):
            try:
                run = json.loads(place.read(f"{FOLDER}/{name}"))
            except (OSError, ValueError):
                continue
            if isinstance(run, dict):
                yield run


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
