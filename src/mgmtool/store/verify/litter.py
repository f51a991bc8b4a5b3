"""What stopped runs left in a store, and whether ``index.parquet`` matches its records. No reader is affected by either."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from mgmtool.errors import StoreError
from mgmtool.storage import GROWING, Place
from mgmtool.store.layout import INDEX_FILE, RUNS, part_name, part_number
from mgmtool.store.reader import Store
from mgmtool.store.records import committed_numbers, index_table
from mgmtool.store.verify.findings import Finding, note


def check_litter(place: Place) -> Iterator[Finding]:
    """Name what no record lists; what somebody is writing now is left out, as far as that can be told."""
    top = place.names()
    folders = [number for number in map(part_number, top) if number is not None]
    committed = set(committed_numbers(place))  # read after the folders: a part moves into place before its record
    for number in folders:
        if number not in committed and not _writing(place, number):
            text = "a part without commit record, left by a run that was stopped; the next run removes it"
            yield note("litter", text, number, file=part_name(number))
    for name in place.names(GROWING):
        grown = part_number(name.partition(".")[0])
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


def check_index(store: Store) -> Iterator[Finding]:
    """Compare ``index.parquet`` with the rows that count."""
    remedy = f"stale; mgmtool index {store.name} rebuilds it"
    try:
        content = store.place.read(INDEX_FILE)
    except FileNotFoundError:
        yield note("index", f"there is no index.parquet: {remedy}", file=INDEX_FILE)
        return
    try:
        found, expected = index_table(content), store.records.index()
    except (OSError, ValueError, pa.ArrowException, StoreError) as problem:
        yield note("index", f"index.parquet cannot be compared: {problem}; {remedy}", file=INDEX_FILE)
        return
    if not found.equals(expected):
        text = f"index.parquet has {found.num_rows} rows, {expected.num_rows} count in the records, not all the same: "
        yield note("index", text + remedy, file=INDEX_FILE)
