"""One part being written: it grows unseen, gets its name when it is whole, and counts once its record is written."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from mgmtool.errors import PartCommittedError, StoreBusyError, StoreError, StoreWriteError
from mgmtool.files import make_folder
from mgmtool.storage import Place
from mgmtool.store._errors import write_errors
from mgmtool.store._growing import GrowingFolder
from mgmtool.store.checksums import Checksum, first_difference, of_folder
from mgmtool.store.index import parquet_bytes, record_of, row_of
from mgmtool.store.layout import CHUNK_FRAMES, SHARD_FRAMES, ArraySpec, part_name
from mgmtool.store.records import record_file
from mgmtool.store.root import check_same
from mgmtool.types import MaskVolume, Outcome

_COMPRESSOR = BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle")


class PartWriter:
    """One part being written. A context manager: leaving it without :meth:`commit` leaves no more than ``unfinished`` holds.

    Parameters
    ----------
    place : Place
        The store.
    number : int
        Number of the part.
    arrays : tuple of ArraySpec
        Its arrays, besides ``offset``.
    root : dict
        Attributes of the store, which its record repeats; a part goes into no other.

    Attributes
    ----------
    store : str
        Path or URL of the store, for messages.
    unfinished : Path
        Folder of this part alone, which is there until the part is committed, whatever ends the process. What lies there is the
        caller's; an empty folder is removed.

    Raises
    ------
    StoreBusyError
        Another run is writing this part, or has committed it.
    StoreError
        The store has been replaced or removed.
    """

    def __init__(self, place: Place, number: int, arrays: tuple[ArraySpec, ...], root: dict[str, Any]) -> None:
        self._place, self._number, self._arrays, self._root = place, number, arrays, root
        self._uuid = root.get("uuid")
        self.store = place.name
        self._rows: list[dict[str, Any]] = []
        self._offsets = [0]
        self._folder: GrowingFolder | None = None
        self._whole = False
        with write_errors(place.name):
            if not place.lock(number):
                raise StoreBusyError(f"another run is writing part {number} of {place.name}; wait for it to end")
            try:
                check_same(place, self._uuid)
                self._refuse_committed()
                self.unfinished = place.unfinished(part_name(number))
                make_folder(self.unfinished)
            except BaseException:
                place.unlock(number)
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the part to whoever comes next: what has grown is removed, what is ``unfinished`` stays."""
        if self._folder is not None:
            self._folder.give_up()
            self._place.drop(self._folder.root)
            self._folder = None
        self._place.put_away(part_name(self._number), keep=not self._whole)
        self._place.unlock(self._number)

    def _refuse_committed(self) -> None:
        if self._place.exists(record_file(self._number)):
            raise self._committed()

    def _committed(self) -> PartCommittedError:
        return PartCommittedError(
            f"part {self._number} of {self._place.name} was committed by another run meanwhile; run the same command again"
        )

    def _begin(self) -> GrowingFolder:
        """Make the arrays, unless they are there: a part may be held long before its first video is written."""
        if self._folder is None:
            self._folder = GrowingFolder(self._place.grow(part_name(self._number)))
            self._group = zarr.create_group(self._folder)
            self._growing = [_GrowingArray(self._group, spec) for spec in self._arrays]
        return self._folder

    def append(self, volume: MaskVolume) -> None:
        """Add a run of frames of the video being written; its :meth:`end_video` follows."""
        with write_errors(self._place.name):
            self._begin()
            arrays = volume.arrays()
            for array in self._growing:
                array.append(arrays[array.name])

    def end_video(self, outcome: Outcome, supersedes: int | None = None) -> None:
        """Close the rows of a video; a failed video has none.

        Parameters
        ----------
        outcome : Outcome
            How it ended.
        supersedes : int, optional
            Part whose row for this video no longer counts.
        """
        start = self._offsets[-1]
        row = row_of(outcome, start, supersedes)
        if outcome.done:
            self._offsets.append(row["row_stop"])
            with write_errors(self._place.name):
                self._begin()
            if self._growing[0].rows != row["row_stop"]:
                raise StoreError(
                    f"{outcome.video.id}: {self._growing[0].rows - start} rows of masks for {row['num_frames']} frames"
                )
        self._rows.append(row)

    def commit(self) -> None:
        """Make the part visible: arrays safely stored under their final name, then the commit record.

        Raises
        ------
        PartCommittedError
            Another run was faster; what it committed stays as it is.
        StoreError
            The store has been replaced or removed since.
        StoreWriteError
            Something cannot be written, or what lies on disk is not what was written; the part does not count.
        """
        name = part_name(self._number)
        with write_errors(self._place.name):
            folder = self._begin()
            for array in self._growing:
                array.flush()
            _write_offsets(self._group, self._offsets)
            written = folder.checksums
            self._compare(written, of_folder(folder.root))
            record = record_of(self._rows, written, self._root)
            content = parquet_bytes([record], record.schema)
            self._refuse_committed()
            check_same(self._place, self._uuid)
            self._place.adopt(folder.root, name)
            there = self._place.sizes(name)
            self._compare(
                written, {file: (there[file], digest) for file, (_, digest) in written.items() if file in there}
            )
            check_same(self._place, self._uuid)
            try:
                self._place.create(record_file(self._number), content)
            except FileExistsError:
                raise self._committed() from None
        self._whole = True

    def _compare(self, written: Mapping[str, Checksum], found: Mapping[str, Checksum]) -> None:
        """Refuse to commit what is not what was written."""
        difference = first_difference(written, found)
        if difference is not None:
            raise StoreWriteError(
                f"cannot commit part {self._number} of {self._place.name}: {difference}; run the same command again"
            )


class _GrowingArray:
    """One array of a part, written a whole shard at a time: a shard written twice would be read back and merged."""

    def __init__(self, group: zarr.Group, spec: ArraySpec) -> None:
        self.name, self.rows = spec.name, 0
        self._group, self._spec = group, spec
        self._written = 0
        self._buffer = np.empty((SHARD_FRAMES, *spec.row), spec.dtype)
        self._array: Any = None

    def append(self, values: np.ndarray[Any, Any]) -> None:
        while len(values):
            used = self.rows - self._written
            taken = min(len(values), SHARD_FRAMES - used)
            self._buffer[used : used + taken] = values[:taken]
            self.rows += taken
            values = values[taken:]
            if used + taken == SHARD_FRAMES:
                self.flush()

    def flush(self) -> None:
        """Write what is buffered. The array is made with its first rows, which saves most parts from ever resizing it."""
        shape = (self.rows, *self._spec.row)
        if self._array is None:
            self._array = self._group.create_array(
                self.name,
                shape=shape,
                dtype=self._spec.dtype,
                chunks=(CHUNK_FRAMES, *self._spec.row),
                shards=(SHARD_FRAMES, *self._spec.row),
                compressors=_COMPRESSOR,
                fill_value=self._spec.fill,
                dimension_names=self._spec.axes,
            )
        elif self.rows > self._written:
            self._array.resize(shape)
        if self.rows > self._written:
            self._array[self._written : self.rows] = self._buffer[: self.rows - self._written]
            self._written = self.rows


def _write_offsets(group: zarr.Group, offsets: list[int]) -> None:
    array = group.create_array(
        "offset",
        shape=(len(offsets),),
        dtype="int64",
        chunks=(max(len(offsets), 1),),
        compressors=_COMPRESSOR,
        dimension_names=("video",),
    )
    array[:] = np.array(offsets, np.int64)
