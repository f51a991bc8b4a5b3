"""The videos of a store by any of their names, and where their rows are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import PurePosixPath
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from mgmtool.errors import UnknownVideoError
from mgmtool.storage import absolute, is_local, public, relative, storable
from mgmtool.store._nearest import nearest_id
from mgmtool.store.rows import checked_rows, name_text

_SEVERAL = -1

VideoName = str | bytes | PathLike[str] | PathLike[bytes]
"""What may name a video: text, or a path as the system has it."""


@dataclass(frozen=True, slots=True)
class VideoRows:
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

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Take what is needed from the index row of a video that is done."""
        numbers = (int(row[name]) for name in ("part", "row_start", "row_stop", "height", "width"))
        return cls(row["id"], row["path"], *numbers)


class Videos:
    """The videos of a store, found by name.

    A name is text, a path object or bytes: an id, a path or URL as it was extracted, one below the input root, one that ends in
    an id, or a file name that only one video has. A path below the input root, or a relative one with folders, never stands for a
    video in another folder.

    Parameters
    ----------
    table : pyarrow.Table
        The index.
    store : str
        How errors name the store.
    input_root : str
        Folder or URL to which ids are relative.
    """

    def __init__(self, table: pa.Table, store: str, input_root: str) -> None:
        self._store, self._root = store, storable(input_root)
        self._table = checked_rows(table, store).combine_chunks()
        self._done = pc.equal(table["status"], "done").to_numpy()
        # Failed videos stay, so that none of their names leads to another video; they have no size.
        names = ("part", "row_start", "row_stop", "height", "width")
        self._numbers = [pc.fill_null(table[column], 0).to_numpy() for column in names]

    def __len__(self) -> int:
        return int(self._done.sum())

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ids of the videos that are done."""
        return (value.as_py() for value in itertools.compress(self._table["id"], self._done))

    def parts(self) -> list[int]:
        """Numbers of the parts that hold videos, ascending."""
        return sorted(set(self._numbers[0][self._done].tolist()))

    def find(self, name: VideoName) -> VideoRows:
        """Find the rows of a video.

        Raises
        ------
        UnknownVideoError
            No video has the name, several have, or the video failed.
        """
        number = self._number(name)
        if not self._done[number]:
            row = self.row(name)
            raise UnknownVideoError(f"{row['id']!r} failed ({row['failure']}): {row['message']}")
        part, start, stop, height, width = (int(column[number]) for column in self._numbers)
        path = self._table["path"][number].as_py()
        return VideoRows(self._table["id"][number].as_py(), path, part, start, stop, height, width)

    def row(self, name: VideoName) -> dict[str, Any]:
        """Return the index row of a video, which may have failed.

        Raises
        ------
        UnknownVideoError
            No video has the name, or several have.
        """
        row: dict[str, Any] = self._table.slice(self._number(name), 1).to_pylist()[0]
        return row

    def _number(self, given: VideoName) -> int:
        name = name_text(given)
        known = storable(public(name))
        found = self._by_id.get(known)
        if found is None:
            found = self._by_other_name(known, name)
        if found is None:
            ids, hint = next(iter(self), None), nearest_id(self._table["id"], known)
            raise UnknownVideoError(
                f"{self._store} has no video {public(name)!r}{hint}; expected one of its {len(self)} ids, such as {ids!r}, "
                f"a file name, or a path below {self._root}"
            )
        if found == _SEVERAL:
            file = PurePosixPath(known).name
            raise UnknownVideoError(
                f"{self._store} has several videos named {file!r}; give an id instead of {public(name)!r}"
            )
        return found

    def _by_other_name(self, known: str, name: str) -> int | None:
        """Find the row of a path, URL or file name; _SEVERAL where several fit."""
        anchored = not is_local(known) or PurePosixPath(known).is_absolute()
        whole = known if anchored else storable(absolute(name))
        inside = relative(absolute(whole), self._root) if self._root else None
        found = self._by_id.get(inside) if inside else None
        if found is None:
            found = self._by_path.get(whole)
        if found is not None or (inside and anchored):
            return found  # whatever is below the input root has an id
        parts = PurePosixPath(known).parts
        endings = ("/".join(parts[start:]) for start in range(len(parts)))
        ending = next((ending for ending in endings if ending in self._by_id), None)
        if ending is not None:
            return self._by_id[ending]
        # A relative path that is no id names a video that is not there, not another one in another folder.
        return self._by_file_name.get(PurePosixPath(known).name) if anchored or len(parts) == 1 else None

    @cached_property
    def _by_id(self) -> dict[str, int]:
        return {value: number for number, value in enumerate(self._table["id"].to_pylist())}

    @cached_property
    def _by_path(self) -> dict[str, int]:
        return {value: number for number, value in enumerate(self._table["path"].to_pylist())}

    @cached_property
    def _by_file_name(self) -> dict[str, int]:
        """Number of the video of each file name, _SEVERAL where several have it."""
        found: dict[str, int] = {}
        for number, video_id in enumerate(self._table["id"].to_pylist()):
            file = PurePosixPath(video_id).name
            found[file] = number if file not in found else _SEVERAL
        return found
