"""A store read once from end to end, for statistics: rows of the index and blocks of frames, one part in memory at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq
from numpy.typing import NDArray

from mgmtool.errors import StoreError
from mgmtool.store._files import files_of
from mgmtool.store.columns import Columns
from mgmtool.store.layout import committed_parts, index_file
from mgmtool.store.location import LocalFolder, reading
from mgmtool.store.walk import Walk

BLOCK_FRAMES = 32 * 1024
"""Frames of a block; whole chunks, so that none is unpacked twice."""


@dataclass(frozen=True, slots=True)
class PartScan:
    """A committed part.

    Attributes
    ----------
    number : int
        Number of the part.
    rows : list of dict
        Its index rows that count, failed videos included, in order; the columns that were asked for.
    """

    number: int
    rows: list[dict[str, Any]]
    _columns: Columns

    def has(self, name: str) -> bool:
        """Whether the part has an array."""
        return self._columns.has(self.number, name)

    def blocks(self, names: Sequence[str], stop: int) -> Iterator[tuple[int, list[NDArray[Any]]]]:
        """Yield the first frame of each block and its rows of some arrays, up to frame ``stop`` of the part."""
        for start in range(0, stop, BLOCK_FRAMES):
            yield start, self._columns.windows(self.number, names, start, min(start + BLOCK_FRAMES, stop))


class Scan(Walk):
    """A store open for one pass over all of it. See :class:`~mgmtool.store.walk.Walk`."""

    def count(self) -> int:
        """Count the index rows of all parts, without reading them where the store lies in a folder."""
        if not isinstance(self._location, LocalFolder):
            return int(self._remote_index.num_rows)
        root = self._location.root
        with reading(self.name):
            return sum(pq.read_metadata(index_file(root, number)).num_rows for number in committed_parts(root))

    def scan(self, names: Sequence[str]) -> Iterator[PartScan]:
        """Yield every committed part, in order, with some columns of its index rows."""
        columns = Columns(self._location, None)
        for number, table in self._tables():
            yield PartScan(number, table.select(list(names)).to_pylist(), columns)

    def frames(self, row: Mapping[str, Any], names: Sequence[str], first: int, stop: int) -> dict[str, NDArray[Any]]:
        """Read some frames of one video, given by its index row; arrays that its part lacks are left out."""
        columns, start = Columns(self._location, None), int(row["row_start"])
        found = {name: columns.read(row["part"], name, start + first, start + stop) for name in names}
        return {name: array for name, array in found.items() if array is not None}

    def runs(self, most: int) -> tuple[int, list[dict[str, Any]]]:
        """Count the runs that left a record, and return those of the last ``most``, oldest first.

        Records are for people: one that cannot be read is left out, and a place that cannot list its files has none.
        """
        files = files_of(self._location.name if not isinstance(self._location, LocalFolder) else self._location.root)
        try:
            names = [name for name in files.names("runs") if name.endswith(".json") and not name.startswith(".")]
        except Exception:  # noqa: BLE001  each file system says in its own way that it cannot list
            return 0, []
        return len(names), [record for name in sorted(names)[-most:] if (record := _record(files, name)) is not None]


def _record(files: Any, name: str) -> dict[str, Any] | None:
    try:
        with reading(name):
            record = json.loads(files.read(f"runs/{name}"))
    except StoreError:
        return None
    return record if isinstance(record, dict) else None
