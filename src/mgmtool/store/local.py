"""A store in a folder of this machine, or of a file system that several machines share."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import zarr
import zarr.errors

from mgmtool.errors import PartCommittedError, StoreBusyError, StoreError
from mgmtool.store._aside import left_behind, signed
from mgmtool.store._locks import RUNS, Locks
from mgmtool.store.index import read_part_index, sync, write_full_index, write_record
from mgmtool.store.layout import committed_parts, index_file, part_name, part_number

ASIDE = ".writing"
"""Folder in the store where parts grow."""
_ROOT = "zarr.json"


class LocalHome:
    """A folder. A part grows aside, is moved into place, and is committed by its record.

    Parameters
    ----------
    root : Path
        Folder of the store.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.name = root, str(root)
        self._locks = Locks(root)

    def __reduce__(self) -> tuple[type[LocalHome], tuple[Path]]:
        return LocalHome, (self.root.absolute(),)  # a task elsewhere has another current folder

    def attributes(self) -> dict[str, Any] | None:
        """Return the attributes of the root group; None where nothing is there yet.

        Raises
        ------
        StoreError
            Something else is there.
        """
        if self.root.exists() and not self.root.is_dir():
            raise StoreError(f"output {self.root} is a file; expected a new folder or a mask store")
        if not self.root.is_dir() or all(path.name.startswith(f".{_ROOT}.") for path in self.root.iterdir()):
            return None
        try:
            return dict(zarr.open_group(self.name, mode="r").attrs)
        except (FileNotFoundError, zarr.errors.GroupNotFoundError, ValueError):
            raise StoreError(
                f"output {self.root} is a folder that is not a mask store; expected a new or empty folder"
            ) from None

    def create(self, attributes: dict[str, Any]) -> None:
        """Make an empty store, whole or not at all; where another driver was faster, its store stays."""
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            zarr.create_group(folder, attributes=attributes)
            content = (Path(folder) / _ROOT).read_bytes()
        aside, place = self.root / signed(f".{_ROOT}"), self.root / _ROOT
        try:
            aside.write_bytes(content)
            _place(aside, place)
        finally:
            aside.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove parts without a commit record that nobody is writing, and what dead processes of this machine left."""
        (self.root / "index").mkdir(exist_ok=True)
        for path in self.root.iterdir():
            number = part_number(path.name)
            if number is not None and not index_file(self.root, number).exists():
                self._remove_litter(number)
        for stem in (f".{_ROOT}", ".index.parquet"):
            _remove_left(self.root.glob(f"{stem}.*"), stem)
        for path in (self.root / "index").glob(".*.parquet.*"):
            _remove_left([path], path.name.partition(".parquet")[0] + ".parquet")
        for path in (self.root / ASIDE).glob("*"):
            if left_behind(path.name, path.name.partition(".")[0]):
                shutil.rmtree(path, ignore_errors=True)

    def _remove_litter(self, number: int) -> None:
        if not self._locks.take(number):
            return  # its writer is between moving it into place and committing it
        try:
            if not index_file(self.root, number).exists():
                shutil.rmtree(self.root / part_name(number), ignore_errors=True)
        finally:
            self._locks.give(number)

    def remove(self) -> None:
        """Delete the store."""
        shutil.rmtree(self.root)

    def records(self) -> Iterator[pa.Table]:
        """Yield the commit record of every part, in order."""
        return (read_part_index(self.root, number) for number in committed_parts(self.root))

    @contextlib.contextmanager
    def run(self, key: int) -> Iterator[None]:
        """Hold the store for a run; two runs of the same key exclude each other.

        Raises
        ------
        StoreBusyError
            Such a run is going on.
        """
        if not self._locks.take(RUNS + key):
            writing = ", ".join(sorted(path.name for path in (self.root / ASIDE).glob("part-*"))) or "nothing yet"
            raise StoreBusyError(
                f"another run is writing {self.root} ({writing}); wait for it, or give each run its own --shard"
            )
        try:
            yield
        finally:
            self._locks.give(RUNS + key)

    def begin(self, number: int) -> Path:
        """See :meth:`mgmtool.store.part.Home.begin`."""
        if not self._locks.take(number):
            raise StoreBusyError(f"another run is writing part {number} of {self.root}; wait for it to end")
        if index_file(self.root, number).exists():
            self._locks.give(number)
            raise PartCommittedError(
                f"part {number} of {self.root} was committed by another run meanwhile; run the same command again"
            )
        folder = self.root / ASIDE / signed(part_name(number))
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def publish(self, number: int, folder: Path, record: pa.Table) -> None:
        """See :meth:`mgmtool.store.part.Home.publish`."""
        for path in sorted(folder.rglob("*")):
            sync(path)
        place = self.root / part_name(number)
        shutil.rmtree(place, ignore_errors=True)
        folder.rename(place)
        sync(self.root)
        write_record(self.root, number, record)

    def end(self, number: int, folder: Path) -> None:
        """See :meth:`mgmtool.store.part.Home.end`."""
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # another process may be writing a part
            folder.parent.rmdir()
        self._locks.give(number)

    def gather(self) -> int:
        """Write ``index.parquet``; return its rows."""
        rows = write_full_index(self.root)
        self._remove_beginnings()
        with contextlib.suppress(OSError):
            (self.root / ASIDE).rmdir()
        return rows

    def _remove_beginnings(self) -> None:
        """Remove what was written of parts before they were begun again, and committed, by another process of the same run."""
        for path in (self.root / ASIDE).glob("part-*"):
            number = part_number(path.name.partition(".")[0])
            if number is not None and index_file(self.root, number).exists() and self._locks.take(number):
                shutil.rmtree(path, ignore_errors=True)
                self._locks.give(number)

    def note(self, name: str, content: bytes) -> None:
        """Write a small file below the store, whole or not at all."""
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        aside = path.with_name(signed(f".{path.name}"))
        try:
            aside.write_bytes(content)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def _place(aside: Path, place: Path) -> None:
    """Give a file its final name, unless that is taken."""
    try:
        os.link(aside, place)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links: of several drivers that start together, the last one's stays
        aside.replace(place)


def _remove_left(paths: Iterable[Path], stem: str) -> None:
    for path in paths:
        if left_behind(path.name, stem):
            path.unlink(missing_ok=True)
