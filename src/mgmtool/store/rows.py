"""Index rows that may be used: whoever reads a store need not ask again whether their numbers make sense."""

from __future__ import annotations

import os
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mgmtool.errors import StoreError, UsageError, one_line

_NAMES = ("id", "path", "status")
_NUMBERS = ("part", "row_start", "row_stop", "num_frames", "height", "width")


def checked_rows(table: pa.Table, store: str, *, ordered: bool = False) -> pa.Table:
    """Return index rows, unless the numbers of one contradict each other.

    Parameters
    ----------
    table : pyarrow.Table
        Rows of the index; any of its columns.
    store : str
        How errors name the store.
    ordered : bool
        Whether the rows are those of one part, and their frames may not overlap either.

    Raises
    ------
    StoreError
    """
    there = set(table.schema.names)
    if any(table[name].null_count for name in there.intersection(_NAMES)):
        raise StoreError(f"{store}: a row of the index has no {' or no '.join(_NAMES)}; mgmtool verify finds out more")
    done = table.filter(pc.equal(table["status"], "done"))
    wrong = [pc.is_null(done[name]) for name in _NUMBERS if name in there]
    wrong += [
        pc.less(done[name], least) for name, least in zip(_NUMBERS, (0, 0, 0, 0, 1, 1), strict=True) if name in there
    ]
    if there.issuperset({"row_start", "row_stop"}):
        count = pc.subtract(done["row_stop"], done["row_start"])
        wrong.append(pc.less(count, 0))
        if "num_frames" in there:
            wrong.append(pc.not_equal(count, done["num_frames"]))
        if ordered and done.num_rows > 1:
            before = pa.concat_arrays([pa.array([0], pa.int64()), *done["row_stop"].slice(0, done.num_rows - 1).chunks])
            wrong.append(pc.less(done["row_start"], before))
    if "time_base_den" in there:
        wrong.append(pc.equal(done["time_base_den"], 0))
    bad = pc.fill_null(reduce(pc.or_kleene, wrong), True) if wrong else pa.array([], pa.bool_())
    number = pc.index(bad, pa.scalar(True)).as_py()
    if number >= 0:
        row = done.slice(number, 1).to_pylist()[0]
        shown = ", ".join(f"{name} {row[name]}" for name in _NUMBERS if name in row)
        raise StoreError(
            f"{store}: the index row of {one_line(str(row.get('id')))!r} contradicts itself ({shown}); "
            "mgmtool verify finds out more"
        )
    return table


def name_text(name: Any) -> str:
    """Return the name of a video as text: that of a path or of bytes is what the file system means by it.

    Raises
    ------
    UsageError
        It is none of these.
    """
    if isinstance(name, str):
        return name
    if isinstance(name, bytes | os.PathLike):
        return os.fsdecode(name)
    raise UsageError(f"the id of a video is {name!r}; expected text, a path, or bytes")
