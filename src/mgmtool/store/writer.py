"""Writing a store: parts are written aside, and committed by their Parquet record."""

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
import zarr.errors
from zarr.codecs import BloscCodec
from zarr.core.sync import sync as zarr_sync

from mgmtool.errors import SpecMismatchError, StoreError, StoreWriteError
from mgmtool.store.index import read_part_index, row_of, sync, write_full_index, write_part_index
from mgmtool.store.layout import (
    CHUNK_FRAMES,
    SHARD_FRAMES,
    ArraySpec,
    check_attributes,
    committed_parts,
    frame_arrays,
    part_name,
    part_number,
    root_attributes,
)
from mgmtool.types import ExtractSpec, MaskVolume, Outcome

_ASIDE = ".writing"


@contextlib.contextmanager
def _write_errors(where: Path) -> Iterator[None]:
    """Turn the system's refusals into one line that names the store."""
    try:
        yield
    except OSError as error:
        if isinstance(error, StoreWriteError):
            raise
        words = error.strerror or str(error)
        raise StoreWriteError(f"cannot write {where}: {words}; what was committed before stays valid") from error


class StoreWriter:
    """A store open for adding parts. Use :meth:`open`.

    Attributes
    ----------
    root : Path
        Folder of the store.
    spec : ExtractSpec
        What all its parts were made with.
    """

    def __init__(self, root: Path, spec: ExtractSpec, energy: bool) -> None:
        self.root, self.spec = root, spec
        self._arrays = frame_arrays(spec, energy)

    @classmethod
    def open(
        cls, path: str | Path, spec: ExtractSpec, *, energy: bool, input_root: str, versions: dict[str, str]
    ) -> Self:
        """Create a store, or open one made with the same spec, and remove the litter of a run that was killed.

        Parameters
        ----------
        path : path
            Where the store is or will be.
        spec : ExtractSpec
            What to make it with.
        energy : bool
            Whether parts hold energy.
        input_root : str
            Folder to which ids are relative.
        versions : dict
            Versions of the libraries that decide the masks.

        Raises
        ------
        StoreError
            The path is a file, a folder of something else, or a foreign Zarr group.
        SpecMismatchError
            The store was made with another spec; the message names the first option that differs.
        StoreWriteError
            The folder cannot be written.
        """
        root = Path(path)
        with _write_errors(root):
            if root.exists() and not root.is_dir():
                raise StoreError(f"output {root} is a file; expected a new folder or a mask store")
            if root.is_dir() and any(root.iterdir()):
                _check_same(root, spec, input_root)
            else:
                root.mkdir(parents=True, exist_ok=True)
                zarr.create_group(str(root), attributes=root_attributes(spec, input_root, versions))
            (root / "index").mkdir(exist_ok=True)
            _remove_litter(root)
        return cls(root, spec, energy)

    @staticmethod
    def remove(path: str | Path) -> None:
        """Delete a mask store, and nothing else.

        Raises
        ------
        StoreError
            The path holds something that is not a mask store.
        """
        root = Path(path)
        if root.is_dir() and any(root.iterdir()):
            _attributes(root)
            with _write_errors(root):
                shutil.rmtree(root)

    def committed(self) -> dict[int, list[dict[str, Any]]]:
        """Id and status of the videos of every committed part, by part number."""
        parts = committed_parts(self.root)
        return {n: read_part_index(self.root, n).select(["id", "status"]).to_pylist() for n in parts}

    def part(self, number: int) -> PartWriter:
        """Start a part. Nothing of it is visible before its commit."""
        return PartWriter(self.root, number, self._arrays)

    def finish(self) -> None:
        """Gather the commit records into ``index.parquet``."""
        with _write_errors(self.root):
            write_full_index(self.root)
            with contextlib.suppress(OSError):  # another process may be writing a part
                (self.root / _ASIDE).rmdir()


class PartWriter:
    """One part being written. A context manager: leaving it without :meth:`commit` removes every trace."""

    def __init__(self, root: Path, number: int, arrays: tuple[ArraySpec, ...]) -> None:
        self._root, self._number = root, number
        self._aside = root / _ASIDE / f"{part_name(number)}.{socket.gethostname()}.{os.getpid()}"
        self._rows: list[dict[str, Any]] = []
        self._offsets = [0]
        with _write_errors(root):
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
        with _write_errors(self._root):
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
        with _write_errors(self._root):
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


def _attributes(root: Path) -> dict[str, Any]:
    """Return the attributes of a mask store; refuse whatever is none."""
    try:
        attributes = dict(zarr.open_group(str(root), mode="r").attrs)
    except (FileNotFoundError, zarr.errors.GroupNotFoundError, ValueError):
        raise StoreError(
            f"output {root} is a folder that is not a mask store; expected a new or empty folder"
        ) from None
    check_attributes(attributes, str(root))
    return attributes


def _check_same(root: Path, spec: ExtractSpec, input_root: str) -> None:
    """Refuse to add to a store that was made in another way."""
    attributes = _attributes(root)
    before, now = attributes["spec"], spec.to_json()
    for name, value in now.items():
        if before.get(name) != value:
            raise SpecMismatchError(
                f"{root} was made with {name}={before.get(name)!r}, this run asks for {value!r}; "
                "use the same options, another output, or --overwrite"
            )
    if attributes.get("input_root") != input_root:
        raise SpecMismatchError(
            f"{root} holds ids relative to {attributes.get('input_root')}, these inputs are under {input_root}; "
            "give the same inputs, or --root to say where that folder is"
        )


def _remove_litter(root: Path) -> None:
    """Remove parts without a commit record, and what dead processes of this machine left half-written."""
    committed = set(committed_parts(root))
    for path in root.iterdir():
        number = part_number(path.name)
        if number is not None and number not in committed:
            shutil.rmtree(path)
    for path in (root / "index").glob(".*.parquet.*"):
        if not _alive(path.name.rsplit(".", 1)[1]):
            path.unlink(missing_ok=True)
    for path in (root / _ASIDE).glob("*"):
        host, _, process = path.name.partition(".")[2].rpartition(".")
        if host == socket.gethostname() and not _alive(process):
            shutil.rmtree(path, ignore_errors=True)


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
