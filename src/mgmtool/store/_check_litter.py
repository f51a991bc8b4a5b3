"""What broken runs left in a store, and whether ``index.parquet`` is what its records say. No reader is concerned."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from mgmtool.errors import StoreError
from mgmtool.storage import public
from mgmtool.store._files import Files, numbered
from mgmtool.store.findings import Finding, note
from mgmtool.store.index import SCHEMA
from mgmtool.store.layout import part_name, part_number
from mgmtool.store.local import ASIDE
from mgmtool.store.location import Location


def check_litter(files: Files) -> Iterator[Finding]:
    """Name what no record lists; what somebody is writing now is left out, as far as that can be told."""
    top = files.names("")
    folders = [number for number in map(part_number, top) if number is not None]
    committed = set(numbered(files.names("index")))  # read after the folders: a part moves into place before its record
    for number in folders:
        if number not in committed and not files.writing(number):
            text = "a part without commit record, left by a run that was stopped; the next run removes it"
            yield note("litter", text, number, file=part_name(number))
    yield from _aside(files)
    for folder, names in (("", top), ("index/", files.names("index"))):
        for name in names:
            if _half_written(name) and not _in_progress(name, files):
                yield note("litter", "a half-written file, left by a run that was stopped", file=folder + name)
    # Other files are nobody's business: people keep what they like beside their arrays.


def _aside(files: Files) -> Iterator[Finding]:
    for name in files.names(ASIDE):
        number = part_number(name.partition(".")[0])
        if number is None or not files.writing(number):
            text = "a part that was being written, and nobody of this machine holds it; the next run removes its own"
            yield note("litter", text, number, file=f"{ASIDE}/{name}")


def _half_written(name: str) -> bool:
    return (name.startswith(".") and (".parquet." in name or name.startswith(".zarr.json."))) or name.endswith(
        ".partial"
    )


def _in_progress(name: str, files: Files) -> bool:
    number = part_number(name.removeprefix(".").partition(".")[0])
    return files.writing(number)


def check_index(location: Location, files: Files) -> Iterator[Finding]:
    """Compare ``index.parquet`` with the rows that count."""
    remedy = f"stale; mgmtool index {public(location.name)} rebuilds it"
    try:
        content = files.read("index.parquet")
    except FileNotFoundError:
        yield note("index", f"there is no index.parquet: {remedy}", file="index.parquet")
        return
    try:
        found = pq.read_table(pa.BufferReader(content), schema=SCHEMA)
        expected = location.index()
    except (OSError, ValueError, pa.ArrowException, StoreError) as problem:
        yield note("index", f"index.parquet cannot be compared: {problem}; {remedy}", file="index.parquet")
        return
    if not found.equals(expected):
        text = f"index.parquet has {found.num_rows} rows, {expected.num_rows} count in the records, not all the same: "
        yield note("index", text + remedy, file="index.parquet")
