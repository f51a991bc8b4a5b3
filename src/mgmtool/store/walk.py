"""All of a store from end to end, in its order, the index rows of one part in memory at a time."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mgmtool.errors import StoreError
from mgmtool.store.arrays import Arrays
from mgmtool.store.layout import frame_arrays, part_name
from mgmtool.store.reader import Store, read_volume
from mgmtool.store.rows import checked_rows
from mgmtool.store.videos import VideoRows
from mgmtool.types import ExtractSpec, MaskVolume

BLOCK_FRAMES = 32 * 1024
"""Frames of a block; whole chunks, so that none is unpacked twice."""

_INCIDENTAL = ["seconds", "path"]
"""Columns of the index that say nothing of the masks."""


@dataclass(frozen=True, slots=True)
class PartFacts:
    """What is known of a committed part.

    Attributes
    ----------
    number : int
        Number of the part.
    done, failed : int
        Its videos, by status.
    digest : str
        Fingerprint of its index rows, 16 hexadecimal digits.
    """

    number: int
    done: int
    failed: int
    digest: str

    @classmethod
    def of(cls, number: int, table: pa.Table) -> Self:
        """Count the rows of a part and take their fingerprint."""
        statuses = table["status"].to_pylist()
        rows = json.dumps(table.drop_columns(_INCIDENTAL).to_pylist(), sort_keys=True)
        digest = hashlib.blake2b(rows.encode(), digest_size=8).hexdigest()
        return cls(number, statuses.count("done"), statuses.count("failed"), digest)


@dataclass(frozen=True, slots=True)
class StoredVideo:
    """A video that is done; its arrays are read when they are asked for.

    Attributes
    ----------
    row : mapping
        Its index row.
    """

    row: Mapping[str, Any]
    _spec: ExtractSpec
    _arrays: Arrays

    @property
    def id(self) -> str:
        """Id of the video."""
        return str(self.row["id"])

    def largest_array(self) -> tuple[str, int]:
        """Name and size in bytes of the largest array, without reading it.

        Raises
        ------
        StoreError
            There is none.
        """
        frames, part = int(self.row["num_frames"]), int(self.row["part"])
        arrays = [array for array in frame_arrays(self._spec, energy=True) if self._arrays.has(part, array.name)]
        sizes = {array.name: frames * math.prod(array.row) * np.dtype(array.dtype).itemsize for array in arrays}
        if not sizes:
            raise StoreError(f"{self._arrays.name}: {part_name(part)} of {self.id!r} has no arrays")
        return max(sizes.items(), key=lambda item: item[1])

    def volume(self) -> MaskVolume:
        """Read the mask volume.

        Raises
        ------
        StoreError
            The arrays are damaged.
        """
        return read_volume(self._arrays, VideoRows.of(self.row))


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A committed part.

    Attributes
    ----------
    number : int
        Number of the part.
    rows : list of dict
        Its index rows, failed videos included, in order; the columns that were asked for.
    """

    number: int
    rows: list[dict[str, Any]]
    _arrays: Arrays

    def has(self, name: str) -> bool:
        """Whether the part has an array."""
        return self._arrays.has(self.number, name)

    def blocks(self, names: Sequence[str], stop: int) -> Iterator[tuple[int, list[NDArray[Any]]]]:
        """Yield the first frame of each block and its rows of some arrays, up to frame ``stop`` of the part."""
        for start in range(0, stop, BLOCK_FRAMES):
            yield start, self._arrays.rows(self.number, names, start, min(start + BLOCK_FRAMES, stop))


def part_facts(store: Store) -> list[PartFacts]:
    """Read what is known of every committed part, in order; parts without a video are left out."""
    return [PartFacts.of(number, table) for number, table in store.records.tables() if table.num_rows]


def stored_videos(store: Store, parts: Collection[int]) -> Iterator[StoredVideo]:
    """Yield the videos of some parts that are done, in the order of the store.

    Parameters
    ----------
    store : Store
        The store.
    parts : collection of int
        Numbers of the parts: those that were there at some moment, whatever has been committed since.
    """
    for number, table in store.records.tables():
        if number in parts:
            checked = checked_rows(table, store.name)
            rows = checked.filter(pc.equal(checked["status"], "done")).to_pylist()
            yield from (StoredVideo(row, store.spec, store.arrays) for row in rows)


def stored_parts(store: Store, columns: Sequence[str]) -> Iterator[StoredPart]:
    """Yield every committed part, in order, with some columns of its index rows."""
    for number, table in store.records.tables():
        rows = checked_rows(table.select(list(columns)), store.name, ordered=True)
        yield StoredPart(number, rows.to_pylist(), store.arrays)
