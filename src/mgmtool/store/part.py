"""One part being written: aside first, moved into place and committed when whole."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import pyarrow as pa
import zarr
from zarr.codecs import BloscCodec
from zarr.core.sync import sync as zarr_sync

from mgmtool.errors import StoreError, StoreWriteError
from mgmtool.store.checksums import of_folder
from mgmtool.store.index import record_of, row_of
from mgmtool.store.layout import CHUNK_FRAMES, SHARD_FRAMES, ArraySpec
from mgmtool.types import MaskVolume, Outcome


@contextlib.contextmanager
def write_errors(where: str | Path) -> Iterator[None]:
    """Turn the system's refusals into one line that names the store."""
    try:
        yield
    except OSError as error:
        if isinstance(error, StoreWriteError):
            raise
        words = error.strerror or str(error)
        raise StoreWriteError(f"cannot write {where}: {words}; what was committed before stays valid") from error


class Home(Protocol):
    """Where a store is written: how a part grows there, and how it becomes visible."""

    name: str

    def begin(self, number: int) -> Path:
        """Take a part and return an empty local folder in which it grows.

        Raises
        ------
        StoreBusyError
            Another driver is writing this part, or has committed it.
        """
        ...

    def publish(self, number: int, folder: Path, record: pa.Table) -> None:
        """Move a whole part into place, safely on disk, then write its commit record."""
        ...

    def end(self, number: int, folder: Path) -> None:
        """Give the part back, and remove what is left of its folder."""
        ...


class PartWriter:
    """One part being written. A context manager: leaving it without :meth:`commit` removes every trace."""

    def __init__(self, home: Home, number: int, arrays: tuple[ArraySpec, ...]) -> None:
        self._home, self._number = home, number
        self._rows: list[dict[str, Any]] = []
        self._offsets = [0]
        with write_errors(home.name):
            self._folder = home.begin(number)
            try:
                self._group = zarr.create_group(str(self._folder))
                self._columns = [_Column(self._group, spec) for spec in arrays]
            except BaseException:
                self._drop()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    def _drop(self) -> None:
        zarr_sync(_settle())
        self._home.end(self._number, self._folder)

    def append(self, volume: MaskVolume) -> None:
        """Add a run of frames of the video being written; its :meth:`end_video` follows."""
        with write_errors(self._home.name):
            arrays = volume.arrays()
            for column in self._columns:
                column.append(arrays[column.name])

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
            if self._columns[0].rows != row["row_stop"]:
                raise StoreError(
                    f"{outcome.video.id}: {self._columns[0].rows - start} rows of masks for {row['num_frames']} frames"
                )
        self._rows.append(row)

    def commit(self) -> None:
        """Make the part visible: arrays safely on disk, moved into place, then the commit record."""
        with write_errors(self._home.name):
            for column in self._columns:
                column.flush()
            _write_offsets(self._group, self._offsets)
            self._home.publish(self._number, self._folder, record_of(self._rows, of_folder(self._folder)))


async def _settle() -> None:
    """Wait for what zarr still writes in a thread of its own: an interrupt ends our waiting, not its writing."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)


class _Column:
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
            self._array = self._create(shape)
        elif self.rows > self._written:
            self._array.resize(shape)
        if self.rows > self._written:
            self._array[self._written : self.rows] = self._buffer[: self.rows - self._written]
            self._written = self.rows

    def _create(self, shape: tuple[int, ...]) -> Any:
        row = self._spec.row
        return self._group.create_array(
            self.name,
            shape=shape,
            dtype=self._spec.dtype,
            chunks=(CHUNK_FRAMES, *row),
            shards=(SHARD_FRAMES, *row),
            compressors=BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle"),
            fill_value=self._spec.fill,
            dimension_names=self._spec.axes,
        )


def _write_offsets(group: zarr.Group, offsets: list[int]) -> None:
    array = group.create_array(
        "offset",
        shape=(len(offsets),),
        dtype="int64",
        chunks=(max(len(offsets), 1),),
        compressors=BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle"),
        dimension_names=("video",),
    )
    array[:] = np.array(offsets, np.int64)
