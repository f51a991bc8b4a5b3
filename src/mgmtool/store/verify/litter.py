"""What stopped runs left in a store, and whether ``index.parquet`` matches its records."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from mgmtool.errors import StoreError, one_line
from mgmtool.storage import GROWING, Place
from mgmtool.store.checksums import seal_holds
from mgmtool.store.layout import INDEX_FILE, RUNS, part_name, part_number
from mgmtool.store.reader import Store
from mgmtool.store.records import index_parts, record_file
from mgmtool.store.verify.findings import Finding, error, note
from mgmtool.store.verify.history import RunHistory


def check_litter(place: Place) -> Iterator[Finding]:
    """Name what was not finished; what somebody is writing now is left out, as far as that can be told."""
    top = place.names()
    for name in place.names(GROWING):
        grown = part_number(name.partition(".")[0])
        if grown is not None and name == part_name(grown):
            if not _writing(place, grown):
                text = "finished videos of a part that is still open; the same extract command goes on from there"
                yield note("open", text, grown, file=f"{GROWING}/{name}")
            continue
        if grown is None or not _writing(place, grown):
            text = "a part that was being written, and nobody of this machine holds it; the next run removes its own"
            yield note("litter", text, grown, file=f"{GROWING}/{name}")
    for folder, names in (("", top), ("index/", place.names("index"))):
        for name in names:
            hidden = name.startswith(".") and (".parquet." in name or name.startswith(".zarr.json."))
            of_part = part_number(name.removeprefix(".").partition(".")[0])
            if (hidden or name.endswith(".partial")) and not _writing(place, of_part):
                yield note("litter", "a half-written file, left by a run that was stopped", file=folder + name)
    # Other files are nobody's business: people keep what they like beside their arrays.


def _writing(place: Place, number: int | None) -> bool:
    """Whether somebody holds a part, or for None any run, as far as can be told."""
    return place.held(RUNS, 0) if number is None else place.held(number)


def check_index(store: Store, history: RunHistory, told: Collection[int | None]) -> Iterator[Finding]:
    """Compare ``index.parquet`` with the rows that count, a part at a time.

    Parameters
    ----------
    store : Store
        The store.
    history : RunHistory
        Its runs.
    told : collection of int
        Parts that are known to be missing.
    """
    remedy = f"mgmtool index {store.name} rebuilds it"
    try:
        content = store.place.read(INDEX_FILE)
    except FileNotFoundError:
        yield note("index", f"there is no index.parquet: stale; {remedy}", file=INDEX_FILE)
        return
    sealed = seal_holds(content)
    if sealed is False or (sealed is None and "records" in store.attributes):
        text = f"the seal is {'absent' if sealed is None else 'broken'}: not what was written; {remedy}"
        yield error("index", text, file=INDEX_FILE)
        return
    try:
        yield from _compare(content, store, history, told, remedy)
    except (OSError, ValueError, pa.ArrowException, StoreError) as problem:
        text = f"index.parquet cannot be compared: {one_line(str(problem))}; stale; {remedy}"
        yield note("index", text, file=INDEX_FILE)


def _compare(
    content: bytes, store: Store, history: RunHistory, told: Collection[int | None], remedy: str
) -> Iterator[Finding]:
    stale, differ = False, list[int]()
    for number, listed, counting in _side_by_side(content, store):
        if listed is None or (counting is None and number in store.records.numbers):
            stale = True  # more was committed, or superseded, since the index was written
        elif counting is None:
            if number not in told and not history.going_on:
                text = f"index.parquet has {listed.num_rows} rows of the part, which has no commit record; expected one"
                yield error("missing", text, number, file=record_file(number))
        elif not listed.equals(counting):
            stale, alike = True, _in_common(listed, counting).equals(_in_common(counting, listed))
            differ += [] if alike else [number]
    if differ:
        text = f"rows of {len(differ)} parts, the first of them {differ[0]}, are not those of the records; {remedy}"
        yield error("index", text, file=INDEX_FILE)
    elif stale:
        yield note(
            "index", f"index.parquet has not all rows that count, or some that do not: stale; {remedy}", file=INDEX_FILE
        )


def _side_by_side(content: bytes, store: Store) -> Iterator[tuple[int, pa.Table | None, pa.Table | None]]:
    """Yield number, rows in ``index.parquet`` and rows that count of each part, None where there are none."""
    listed, counting = index_parts(content), (item for item in store.records.tables() if item[1].num_rows)
    left, right = next(listed, None), next(counting, None)
    while left is not None or right is not None:
        number = min(item[0] for item in (left, right) if item is not None)
        here, there = left is not None and left[0] == number, right is not None and right[0] == number
        yield number, left[1] if left is not None and here else None, right[1] if right is not None and there else None
        left = next(listed, None) if here else left
        right = next(counting, None) if there else right


def _in_common(table: pa.Table, other: pa.Table) -> pa.Table:
    """Take the rows of a table whose ids another has, too."""
    return table.filter(pc.is_in(table["id"], value_set=other["id"].combine_chunks()))
