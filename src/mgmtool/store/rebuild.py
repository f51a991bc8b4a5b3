"""``index.parquet`` made anew from the commit records."""

from __future__ import annotations

from pathlib import Path

from mgmtool.errors import StoreError
from mgmtool.store._files import files_of, numbered
from mgmtool.store.layout import check_attributes
from mgmtool.store.part import write_errors
from mgmtool.store.writer import home_of


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
    home = home_of(store)
    with write_errors(home.name):
        attributes = home.attributes()
        if attributes is None:
            raise StoreError(f"no mask store at {home.name}: nothing is there")
        check_attributes(attributes, home.name)
        rows = home.gather()
        return rows, len(numbered(files_of(store).names("index")))
