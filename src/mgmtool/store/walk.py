"""All videos of a store one after the other, the index rows of one part in memory at a time."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mgmtool.errors import StoreError
from mgmtool.store.columns import Columns
from mgmtool.store.index import read_part_index, superseded_rows, without
from mgmtool.store.layout import ArraySpec, check_attributes, committed_parts, frame_arrays
from mgmtool.store.location import LocalFolder, locate, read_attributes, reading
from mgmtool.types import ExtractSpec, MaskVolume

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
    _columns: Columns

    @property
    def id(self) -> str:
        """Id of the video."""
        return str(self.row["id"])

    def largest_array(self) -> tuple[str, int]:
        """Name and size in bytes of the largest array, without reading it."""
        frames = int(self.row["num_frames"])
        sizes = {a.name: frames * math.prod(a.row) * np.dtype(a.dtype).itemsize for a in self._arrays()}
        return max(sizes.items(), key=lambda item: item[1])

    def volume(self) -> MaskVolume:
        """Read the mask volume.

        Raises
        ------
        StoreError
            The arrays are damaged.
        """
        part, start, stop = (int(self.row[name]) for name in ("part", "row_start", "row_stop"))
        names = [array.name for array in self._arrays()]
        try:
            arrays = self._columns.windows(part, names, start, stop)
        except StoreError as error:
            raise StoreError(f"masks of {self.id!r} in part {part} cannot be read: {error}") from None
        lengths = {len(array) for array in arrays}
        if not {"mask", "box", "pts", "flags"} <= set(names) or lengths != {stop - start}:
            raise StoreError(
                f"masks of {self.id!r} in part {part} have {sorted(lengths)} rows in {names}; "
                f"expected {stop - start} in every array"
            )
        return MaskVolume(**dict(zip(names, arrays, strict=True)))

    def _arrays(self) -> list[ArraySpec]:
        part = int(self.row["part"])
        return [array for array in frame_arrays(self._spec, energy=True) if self._columns.has(part, array.name)]


class Walk:
    """A store open for reading all of it once, in its order.

    Parameters
    ----------
    store : path or URL
        Folder of the store.

    Attributes
    ----------
    name : str
        Path or URL.
    attributes : dict
        Attributes of the root group.
    spec : ExtractSpec
        What the store was made with.

    Raises
    ------
    StoreError
        There is no mask store there.
    """

    def __init__(self, store: str | Path) -> None:
        self._location = locate(store)
        self.name, self.attributes = self._location.name, read_attributes(self._location)
        check_attributes(self.attributes, self.name)
        self.spec = ExtractSpec.from_json(self.attributes["spec"])

    def parts(self) -> list[PartFacts]:
        """Read what is known of every committed part, in order; parts without a video are left out."""
        return [_facts(number, table) for number, table in self._tables() if table.num_rows]

    def videos(self, parts: Collection[int]) -> Iterator[StoredVideo]:
        """Yield the videos of some parts that are done, in the order of the store.

        Parameters
        ----------
        parts : collection of int
            Numbers of the parts: those that were there at some moment, whatever has been committed since.
        """
        columns = Columns(self._location, None)
        for number, table in self._tables():
            if number in parts:
                rows = table.filter(pc.equal(table["status"], "done")).to_pylist()
                yield from (StoredVideo(row, self.spec, columns) for row in rows)

    def _tables(self) -> Iterator[tuple[int, pa.Table]]:
        if isinstance(self._location, LocalFolder):
            root = self._location.root
            for number in committed_parts(root):
                with reading(self.name):
                    table = read_part_index(root, number)
                yield number, without(table, self._superseded)
            return
        table = self._remote_index
        for number in sorted(set(table["part"].to_pylist())):
            yield number, table.filter(pc.equal(table["part"], number))

    @cached_property
    def _superseded(self) -> set[tuple[str, int]]:
        root = self._location.root  # type: ignore[attr-defined]
        with reading(self.name):
            return superseded_rows(read_part_index(root, number) for number in committed_parts(root))

    @cached_property
    def _remote_index(self) -> pa.Table:
        return self._location.index()


def _facts(number: int, table: pa.Table) -> PartFacts:
    statuses = table["status"].to_pylist()
    rows = json.dumps(table.drop_columns(_INCIDENTAL).to_pylist(), sort_keys=True)
    digest = hashlib.blake2b(rows.encode(), digest_size=8).hexdigest()
    return PartFacts(number, statuses.count("done"), statuses.count("failed"), digest)
