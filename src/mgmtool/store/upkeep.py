"""What keeps a store in order: litter is removed, and ``index.parquet`` is gathered from the commit records."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mgmtool.errors import StoreError
from mgmtool.storage import GROWING, GROWN, Place, place
from mgmtool.store._errors import read_errors, write_errors
from mgmtool.store.index import KEYS, SCHEMA, parquet_bytes, superseded_rows, without
from mgmtool.store.layout import INDEX_FILE, ROOT_FILE, TOP, part_name, part_number
from mgmtool.store.records import committed_numbers, index_table, record_file
from mgmtool.store.root import read_root
from mgmtool.types import Shard

_WHOLE = Shard()

_PATIENCE = 10.0
"""Seconds for which a file at the top is waited for; writing one takes a few milliseconds."""


def tidy(place: Place, shard: Shard = _WHOLE) -> None:
    """Remove what was left by runs that were stopped: of every part that nobody holds, all but its finished videos.

    Nothing but a lock says that nobody is at work: neither host nor process number tell two containers apart. Where locks keep
    nobody out, nothing is removed.

    Parameters
    ----------
    place : Place
        The store.
    shard : Shard
        Whose parts are looked after; those of other drivers are theirs, in case locks of this file system reach one machine only.
    """
    place.make_folder("index")
    if not place.excludes:
        return
    committed = set(committed_numbers(place))
    for number in sorted((_numbers(place.names()) - committed) | _numbers(place.names(GROWING)) | _half_records(place)):
        if shard.has(number):
            with _held(place, number) as ours:
                if ours:
                    _tidy_part(place, number)
    place.delete([GROWING])
    with _held(place, TOP) as ours:
        if ours:
            stems = (f".{ROOT_FILE}.", f".{INDEX_FILE}.")
            place.delete([name for name in place.names() if name.startswith(stems)])
            place.delete([f"runs/{name}" for name in place.names("runs") if name.startswith(".")])


def _numbers(names: Iterable[str]) -> set[int]:
    """Numbers of the parts that some names begin with."""
    return {number for name in names if (number := part_number(name.partition(".")[0])) is not None}


def _half_records(place: Place) -> set[int]:
    return _numbers(name.removeprefix(".") for name in place.names("index") if name.startswith("."))


@contextlib.contextmanager
def _held(place: Place, number: int) -> Iterator[bool]:
    """Hold a lock if nobody has it, and say whether that is so and means anything."""
    if not place.lock(number):
        yield False
        return
    try:
        yield place.excludes
    finally:
        place.unlock(number)


def _tidy_part(place: Place, number: int) -> None:
    """Remove what was left of a part that we hold."""
    name, committed = part_name(number), place.exists(record_file(number))
    place.delete([f"index/{half}" for half in place.names("index") if half.startswith(f".{name}.parquet.")])
    with contextlib.suppress(OSError):  # somebody else's files, perhaps; they harm nobody
        if not committed:
            place.remove(name)
        for left in place.names(GROWING):
            if left.startswith(f"{name}.") or (left == name and committed):
                place.remove(f"{GROWING}/{left}")
        for grown in place.names(f"{GROWING}/{name}"):
            if grown.startswith(GROWN):
                place.remove(f"{GROWING}/{name}/{grown}")
    place.delete([f"{GROWING}/{name}"])


@contextlib.contextmanager
def at_the_top(place: Place) -> Iterator[None]:
    """Hold the lock of the files at the top of a store, so that nobody takes ours for litter while it is half written."""
    end = time.monotonic() + _PATIENCE
    while not (ours := place.lock(TOP)) and time.monotonic() < end:
        time.sleep(0.01)
    try:
        yield
    finally:
        if ours:
            place.unlock(TOP)


def gather(place: Place) -> tuple[int, int]:
    """Write ``index.parquet``, and remove what other processes began of parts that have been committed since.

    Returns
    -------
    rows, parts : int
        Rows that count, and committed parts.
    """
    with read_errors(place.name):
        names = list(map(record_file, committed_numbers(place)))
        records = list(place.read_many(names))  # compressed, as they are: a few dozen bytes per video
        superseded = superseded_rows(index_table(record, KEYS) for record in records)
        content = parquet_bytes((without(index_table(record), superseded) for record in records), SCHEMA)
    with at_the_top(place):
        place.write(INDEX_FILE, content)
    for number in _numbers(place.names(GROWING)):
        if place.exists(record_file(number)):
            with _held(place, number) as ours:
                if ours:
                    _tidy_part(place, number)
    if place.excludes:
        place.delete([GROWING])
    return int(pq.read_metadata(pa.BufferReader(content)).num_rows), len(names)


def rebuild_index(store: str | Path) -> tuple[int, int]:
    """Gather the rows that count into ``index.parquet``; nothing else that a reader sees is changed.

    Parameters
    ----------
    store : path or URL
        Where it is.

    Returns
    -------
    rows, parts : int
        Rows that count, and committed parts.

    Raises
    ------
    StoreError
        There is no mask store there.
    StoreWriteError
        It cannot be written.
    """
    where = place(store)
    with write_errors(where.name):
        if read_root(where) is None:
            raise StoreError(f"no mask store at {where.name}: nothing is there")
        return gather(where)
