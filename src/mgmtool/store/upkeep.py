"""What keeps a store in order: litter is removed, and ``index.parquet`` is gathered from the commit records."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mgmtool.errors import StoreError
from mgmtool.files import left_behind
from mgmtool.storage import GROWING, Place, place
from mgmtool.store._errors import read_errors, write_errors
from mgmtool.store.index import KEYS, SCHEMA, parquet_bytes, superseded_rows, without
from mgmtool.store.layout import INDEX_FILE, ROOT_FILE, part_number
from mgmtool.store.records import committed_numbers, index_table, record_file
from mgmtool.store.root import read_root


def tidy(place: Place) -> None:
    """Remove parts without a commit record that nobody is writing, and what exited processes of this machine left."""
    place.make_folder("index")
    if not place.excludes:
        return  # nobody can tell what is litter and what another run is uploading
    for name in place.names():
        number = part_number(name)
        if number is not None:
            _remove_if(place, name, number, committed=False)
    top = [name for name in place.names() if any(left_behind(name, f".{stem}") for stem in (ROOT_FILE, INDEX_FILE))]
    records = [name for name in place.names("index") if left_behind(name, name.partition(".parquet")[0] + ".parquet")]
    place.delete(top + [f"index/{name}" for name in records])
    for name in place.names(GROWING):
        if left_behind(name, name.partition(".")[0]):
            with contextlib.suppress(OSError):
                place.remove(f"{GROWING}/{name}")


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
    place.write(INDEX_FILE, content)
    if place.excludes:
        for name in place.names(GROWING):
            number = part_number(name.partition(".")[0])
            if number is not None:
                _remove_if(place, f"{GROWING}/{name}", number, committed=True)
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


def _remove_if(place: Place, folder: str, number: int, *, committed: bool) -> None:
    """Remove a folder of a part, if that is committed or not, and nobody is writing it."""
    if place.exists(record_file(number)) == committed and place.lock(number):
        try:
            if place.exists(record_file(number)) == committed:
                with contextlib.suppress(OSError):  # somebody else's, perhaps; it harms nobody
                    place.remove(folder)
        finally:
            place.unlock(number)
