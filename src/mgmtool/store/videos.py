"""The videos of a store by any of their names, and where their rows are."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mgmtool.errors import UnknownVideoError
from mgmtool.store._nearest import nearest_id
from mgmtool.store.index import storable


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows of a video are.

    Attributes
    ----------
    id, path : str
        As in the index.
    part, start, stop : int
        Rows start .. stop - 1 of the arrays of a part.
    height, width : int
        Displayed size in pixels.
    """

    id: str
    path: str
    part: int
    start: int
    stop: int
    height: int
    width: int

    def __len__(self) -> int:
        return self.stop - self.start


class Videos:
    """The videos that are done, by id, by path, or by a file name that only one video has.

    Parameters
    ----------
    table : pyarrow.Table
        The index.
    name : str
        How errors name the store.
    input_root : str
        Folder to which ids are relative.
    """

    def __init__(self, table: pa.Table, name: str, input_root: str) -> None:
        self._name, self._root = name, input_root
        self._table = table.combine_chunks()
        self._done = pc.equal(table["status"], "done").to_numpy()
        # Failed videos stay, so that none of their names leads to another video; they have no size.
        names = ("part", "row_start", "row_stop", "height", "width")
        self._numbers = [pc.fill_null(table[column], 0).to_numpy() for column in names]

    def __len__(self) -> int:
        return int(self._done.sum())

    def __iter__(self) -> Iterator[str]:
        return (value.as_py() for value in itertools.compress(self._table["id"], self._done))

    def parts(self) -> list[int]:
        """Numbers of the parts that hold videos, ascending."""
        return sorted(set(self._numbers[0][self._done].tolist()))

    def find(self, name: str) -> Rows:
        """Find a video by id, by a path below the input root, as it was extracted or that ends in an id, or by file name.

        Raises
        ------
        UnknownVideoError
            No video has the name, several have, or the video failed.
        """
        number = self._number(name)
        part, start, stop, height, width = (int(column[number]) for column in self._numbers)
        path = self._table["path"][number].as_py()
        return Rows(self._table["id"][number].as_py(), path, part, start, stop, height, width)

    def facts(self, name: str) -> dict[str, Any]:
        """Return the index row of a video."""
        return self._row(self._number(name))

    def _row(self, number: int) -> dict[str, Any]:
        row: dict[str, Any] = self._table.slice(number, 1).to_pylist()[0]
        return row

    def _number(self, name: str) -> int:
        known = storable(name)
        found = self._by_id.get(known)
        if found is None:
            found = self._by_other_name(known)
        if found is None:
            ids, hint = next(iter(self), None), nearest_id(self._table["id"], known)
            raise UnknownVideoError(
                f"{self._name} has no video {name!r}{hint}; expected one of its {len(self)} ids, such as {ids!r}, "
                f"a file name, or a path below {self._root}"
            )
        if found < 0:
            file = PurePosixPath(name).name
            raise UnknownVideoError(f"{self._name} has several videos named {file!r}; give an id instead of {name!r}")
        if not self._done[found]:
            row = self._row(found)
            raise UnknownVideoError(f"{row['id']!r} failed ({row['failure']}): {row['message']}")
        return found

    def _by_other_name(self, name: str) -> int | None:
        """Find the row of a path or file name; -1 where several fit."""
        parts = PurePosixPath(name).parts
        absolute = PurePosixPath(name).is_absolute()
        if absolute:
            inside = os.path.relpath(name, self._root) if self._root else os.pardir
            if PurePosixPath(inside).parts[:1] != (os.pardir,):  # whatever is below the input root has an id
                return self._by_id.get(inside, self._by_path.get(name))
            if name in self._by_path:
                return self._by_path[name]
        endings = ("/".join(parts[start:]) for start in range(len(parts)))
        ending = next((ending for ending in endings if ending in self._by_id), None)
        if ending is not None:
            return self._by_id[ending]
        # A relative path that is no id names a video that is not there, not another one in another folder.
        return self._by_file_name.get(PurePosixPath(name).name) if absolute or len(parts) == 1 else None

    @cached_property
    def _by_id(self) -> dict[str, int]:
        return {value: number for number, value in enumerate(self._table["id"].to_pylist())}

    @cached_property
    def _by_path(self) -> dict[str, int]:
        return {value: number for number, value in enumerate(self._table["path"].to_pylist())}

    @cached_property
    def _by_file_name(self) -> dict[str, int]:
        """Number of the video of each file name, -1 where several have it."""
        found: dict[str, int] = {}
        for number, video_id in enumerate(self._table["id"].to_pylist()):
            file = PurePosixPath(video_id).name
            found[file] = number if file not in found else -1
        return found
