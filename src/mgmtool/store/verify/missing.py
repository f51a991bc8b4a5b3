"""Parts that were committed and are not there any more, as far as what is left of the store can tell."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice, pairwise

import pyarrow as pa

from mgmtool.storage import GROWING, Place
from mgmtool.store.checksums import seal_holds
from mgmtool.store.layout import INDEX_FILE, part_name, part_number
from mgmtool.store.records import committed_numbers, index_parts, record_file
from mgmtool.store.verify.findings import Finding, error, note
from mgmtool.store.verify.history import RunHistory

_MOST = 1000
"""Most numbers that are told of a gap."""

_REMEDY = "the same extract command makes it again"


def check_missing(place: Place, history: RunHistory) -> Iterator[Finding]:
    """Name parts without a commit record: those whose arrays are there, and numbers that no part has though later ones do."""
    folders = {number for number in map(part_number, place.names()) if number is not None}
    committed = set(committed_numbers(place))  # read after the folders: a part moves into place before its record
    folders = {number for number in folders if number in committed or place.sizes(part_name(number))}
    for number in sorted(folders - committed):
        if not place.held(number):
            yield orphan(number, history.going_on)
    if history.scattered or history.going_on:
        return  # parts come in another order than their numbers
    growing = {part_number(name.partition(".")[0]) for name in place.names(GROWING)}
    listed = set[int]() if history.known else listed_parts(place)
    for number in gaps(committed | folders):
        if number in growing:
            continue
        if number in history.dropped:
            text = f"the part was dropped by mgmtool repair; {_REMEDY}, or its videos in new parts"
            yield note("missing", text, number, file=record_file(number))
        elif number not in listed and max(listed, default=-1) > number:
            text = "no part has this number, nor had one when index.parquet was written; nothing else says that there was one"
            yield note("missing", text, number, file=record_file(number))
        else:
            text = f"there is no commit record, though later parts have one; expected one; {_REMEDY}"
            yield error("missing", text, number, file=record_file(number))


def listed_parts(place: Place) -> set[int]:
    """Return the parts that ``index.parquet`` has rows of; none where it is absent or damaged."""
    try:
        content = place.read(INDEX_FILE)
        return {number for number, _ in index_parts(content)} if seal_holds(content) else set()
    except (OSError, ValueError, pa.ArrowException):
        return set()


def orphan(number: int, going_on: bool) -> Finding:
    """Tell of a part that has arrays and no commit record."""
    if going_on:
        text = "a part without commit record, left by a run that was stopped; the next run removes it"
        return note("litter", text, number, file=part_name(number))
    text = f"a part without commit record, which was deleted, or a run was stopped just before it; {_REMEDY}"
    return error("missing", text, number, file=part_name(number))


def gaps(numbers: Collection[int]) -> Iterator[int]:
    """Yield the numbers below the largest that are not there; of each row of them, so many that nobody needs more."""
    for low, high in pairwise([-1, *sorted(numbers)]):
        yield from islice(range(low + 1, high), _MOST)


def check_count(place: Place, history: RunHistory, told: int) -> Iterator[Finding]:
    """Compare how many parts there are with how many the runs committed, ``told`` of which are known to be missing."""
    lost = 0 if history.going_on else lost_parts(place, history, told)
    if lost:
        text = f"the runs in runs/ committed {history.committed} parts, {lost} of which are gone without a trace; expected all"
        yield error("missing", text, file="index")


def lost_parts(place: Place, history: RunHistory, told: int) -> int:
    """Count the parts that runs committed and of which nothing is known.

    Without locks, two runs may have committed one part, so that nothing can be said.
    """
    return max(history.committed - len(committed_numbers(place)) - told, 0) if place.excludes else 0
