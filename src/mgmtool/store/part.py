"""One part being written: it grows unseen, gets its name when it is whole, and counts once its record is written."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from mgmtool.errors import PartCommittedError, StoreBusyError, StoreError
from mgmtool.storage import Place
from mgmtool.store._errors import write_errors
from mgmtool.store._growing import GrowingFolder
from mgmtool.store.checksums import of_folder
from mgmtool.store.index import parquet_bytes, record_of, row_of
from mgmtool.store.layout import CHUNK_FRAMES, SHARD_FRAMES, ArraySpec, part_name
from mgmtool.store.records import record_file
from mgmtool.types import MaskVolume, Outcome

_COMPRESSOR = BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle")


class PartWriter:
    """One part being written. A context manager: leaving it without :meth:`commit` removes every trace.

    Parameters
    ----------
    place : Place
        The store.
    number : int
        Number of the part.
    arrays : tuple of ArraySpec
        Its arrays, besides ``offset``.
    root : dict
        Attributes of the store, which its record repeats.

    Raises
    ------
    StoreBusyError
        Another run is writing this part, or has committed it.
    """

    def __init__(self, place: Place, number: int, arrays: tuple[ArraySpec, ...], root: dict[str, Any]) -> None:
        self._place, self._number, self._root = place, number, root
        self._rows: list[dict[str, Any]] = []
        self._offsets = [0]
        self._folder: GrowingFolder | None = None
        with write_errors(place.name):
            if not place.lock(number):
                raise StoreBusyError(f"another run is writing part {number} of {place.name}; wait for it to end")
            try:
                self._refuse_committed()
                self._folder = GrowingFolder(place.grow(part_name(number)))
                self._group = zarr.create_group(self._folder)
                self._growing = [_GrowingArray(self._group, spec) for spec in arrays]
            except BaseException:
                self._drop()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    def _refuse_committed(self) -> None:
        if self._place.exists(record_file(self._number)):
            raise self._committed()

    def _committed(self) -> PartCommittedError:
        return PartCommittedError(
            f"part {self._number} of {self._place.name} was committed by another run meanwhile; run the same command again"
        )

    def _drop(self) -> None:
        if self._folder is not None:
            self._folder.give_up()
            self._place.drop(self._folder.root)
        self._place.unlock(self._number)

    def append(self, volume: MaskVolume) -> None:
        """Add a run of frames of the video being written; its :meth:`end_video` follows."""
        with write_errors(self._place.name):
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
        StoreWriteError
            Something cannot be written; the part does not count.
        """
        assert self._folder is not None  # noqa: S101  it was made, or there is no writer
        with write_errors(self._place.name):
            for array in self._growing:
                array.flush()
            _write_offsets(self._group, self._offsets)
            record = record_of(self._rows, of_folder(self._folder.root), self._root)
            content = parquet_bytes([record], record.schema)
            self._refuse_committed()
            self._place.adopt(self._folder.root, part_name(self._number))
            try:
                self._place.create(record_file(self._number), content)
            except FileExistsError:
                raise self._committed() from None


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
