"""One part being written: aside first, moved into place and committed when whole."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import zarr
from zarr.codecs import BloscCodec
from zarr.core.sync import sync as zarr_sync

from mgmtool.errors import StoreError, StoreWriteError
from mgmtool.store.index import row_of, sync, write_part_index
from mgmtool.store.layout import CHUNK_FRAMES, SHARD_FRAMES, ArraySpec, part_name
from mgmtool.types import MaskVolume, Outcome

ASIDE = ".writing"
"""Folder in the store where parts grow."""


@contextlib.contextmanager
def write_errors(where: Path) -> Iterator[None]:
    """Turn the system's refusals into one line that names the store."""
    try:
        yield
    except OSError as error:
        if isinstance(error, StoreWriteError):
            raise
        words = error.strerror or str(error)
        raise StoreWriteError(f"cannot write {where}: {words}; what was committed before stays valid") from error


class PartWriter:
    """One part being written. A context manager: leaving it without :meth:`commit` removes every trace."""

    def __init__(self, root: Path, number: int, arrays: tuple[ArraySpec, ...]) -> None:
        self._root, self._number = root, number
        self._aside = root / ASIDE / f"{part_name(number)}.{socket.gethostname()}.{os.getpid()}"
        self._rows: list[dict[str, Any]] = []
        self._offsets = [0]
        with write_errors(root):
            shutil.rmtree(self._aside, ignore_errors=True)
            try:
                self._group = zarr.create_group(str(self._aside))
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
        shutil.rmtree(self._aside, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._aside.parent.rmdir()

    def append(self, volume: MaskVolume) -> None:
        """Add a run of frames of the video being written; its :meth:`end_video` follows."""
        with write_errors(self._root):
            arrays = volume.arrays()
            for column in self._columns:
                column.append(arrays[column.name])

    def end_video(self, outcome: Outcome) -> None:
        """Close the rows of a video; a failed video has none."""
        start = self._offsets[-1]
        row = row_of(outcome, start)
        if outcome.done:
            self._offsets.append(row["row_stop"])
            if self._columns[0].rows != row["row_stop"]:
                raise StoreError(
                    f"{outcome.video.id}: {self._columns[0].rows - start} rows of masks for {row['num_frames']} frames"
                )
        self._rows.append(row)

    def commit(self) -> None:
        """Make the part visible: arrays safely on disk, moved into place, then the commit record."""
        with write_errors(self._root):
            for column in self._columns:
                column.flush()
            _write_offsets(self._group, self._offsets)
            for path in sorted(self._aside.rglob("*")):
                sync(path)
            place = self._root / part_name(self._number)
            shutil.rmtree(place, ignore_errors=True)
            self._aside.rename(place)
            sync(self._root)
            write_part_index(self._root, self._number, self._rows)


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
