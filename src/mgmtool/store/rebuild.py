"""``index.parquet`` made anew from the commit records."""

from __future__ import annotations

from pathlib import Path

from mgmtool.errors import StoreError
from mgmtool.storage import place
from mgmtool.store.part import write_errors
from mgmtool.store.writer import gather, store_attributes


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
        if store_attributes(where) is None:
            raise StoreError(f"no mask store at {where.name}: nothing is there")
        return gather(where)
