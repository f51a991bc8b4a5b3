"""Rows of the arrays of a store: from disk, from mapped memory, or from RAM."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zarr.core.sync import sync as zarr_sync

from mgmtool.errors import StoreError, UsageError
from mgmtool.store.index import sync
from mgmtool.store.layout import part_name
from mgmtool.store.location import Location, reading

CACHES = (None, "mmap", "ram")
_OPEN_PARTS = {None: 256, "mmap": 4096}
"""Parts whose arrays stay open; a store of a large corpus has hundreds of thousands, and Linux maps 65,530 files a process."""

_Array = Any


class Columns:
    """Reads rows of a store's arrays.

    Handles are opened when they are first needed, in the process that needs them: a copy made by a fork opens its own, and one
    made by pickling has none.

    Parameters
    ----------
    location : Location
        The store.
    cache : None, "mmap" or "ram"
        None reads and unpacks the chunks that hold the rows, each time. "mmap" unpacks the arrays of a part into a file once,
        which all processes of a machine share. "ram" unpacks them into the memory of the process.
    folder : path, optional
        Where "mmap" keeps its files; by default ``$XDG_CACHE_HOME/mgmtool``.
    """

    def __init__(self, location: Location, cache: str | None, folder: str | Path | None = None) -> None:
        if cache not in CACHES:
            raise UsageError(f"cache is {cache!r}; expected None, 'mmap' or 'ram'")
        self._location, self._cache = location, cache
        self._folder = Path(folder).absolute() if folder is not None else _cache_folder()
        self._forget()

    def __getstate__(self) -> dict[str, Any]:
        return {"_location": self._location, "_cache": self._cache, "_folder": self._folder}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def _forget(self) -> None:
        self._root: Any = None
        self._parts: OrderedDict[int, dict[str, _Array]] = OrderedDict()
        self._process = os.getpid()

    def has(self, part: int, name: str) -> bool:
        """Whether a part has an array. One that is there is opened, or unpacked."""
        return self._array(part, name) is not None

    def window(self, part: int, name: str, start: int, stop: int) -> NDArray[Any]:
        """Return rows ``start`` .. ``stop - 1`` of an array, as :meth:`windows` does."""
        return self.windows(part, [name], start, stop)[0]

    def windows(self, part: int, names: Sequence[str], start: int, stop: int) -> list[NDArray[Any]]:
        """Return rows ``start`` .. ``stop - 1`` of some arrays of a part; do not write to them.

        Raises
        ------
        StoreError
            The part has no such array, or it cannot be read.
        """
        arrays = [self._array(part, name) for name in names]
        for name, array in zip(names, arrays, strict=True):
            if array is None:
                raise StoreError(f"{self._location.name}: {part_name(part)} has no array {name!r}")
        if self._cache is not None:
            return [array[start:stop] for array in arrays]
        with reading(self._location.name):
            return zarr_sync(_rows(arrays, slice(start, stop)))

    def read(self, part: int, name: str, start: int, stop: int) -> NDArray[Any] | None:
        """Read rows of an array straight from the store, whatever the cache; None where the part has no such array."""
        self._check_process()
        with reading(self._location.name):
            array = self._open(part, name)
            return None if array is None else zarr_sync(_rows([array], slice(start, stop)))[0]

    def load(self, parts: Sequence[int], names: Sequence[str]) -> None:
        """Open or unpack arrays now; under "ram", a process that forks afterwards shares them with its children."""
        for part in parts:
            for name in names:
                self._array(part, name)

    def _check_process(self) -> None:
        """Drop what does not survive a fork: handles with their sockets, threads and event loops. Unpacked arrays do."""
        if self._process != os.getpid():
            self._process, self._root = os.getpid(), None
            if self._cache is None:
                self._parts.clear()

    def _array(self, part: int, name: str) -> _Array:
        """Return an array as the cache has it; None where the part has none of that name."""
        self._check_process()
        arrays = self._parts.get(part)
        if arrays is None:
            arrays = self._parts[part] = {}
            while self._cache in _OPEN_PARTS and len(self._parts) > _OPEN_PARTS[self._cache]:
                self._parts.popitem(last=False)
        elif self._cache in _OPEN_PARTS:
            self._parts.move_to_end(part)
        if name not in arrays:
            arrays[name] = self._fetch(part, name)
        return arrays[name]

    def _fetch(self, part: int, name: str) -> _Array:
        if self._cache == "mmap":
            return self._mapped(part, name)
        with reading(self._location.name):
            array = self._open(part, name)
            if array is None or self._cache is None:
                return array
            unpacked = zarr_sync(_rows([array], slice(None)))[0]
        unpacked.setflags(write=False)
        return unpacked

    def _open(self, part: int, name: str) -> _Array:
        if self._root is None:
            self._root = self._location.group()
        try:
            return zarr_sync(self._root.getitem(f"{part_name(part)}/{name}"))
        except KeyError:
            return None

    def _mapped(self, part: int, name: str) -> NDArray[Any] | None:
        """Map the file an array was unpacked into; unpack it first if nobody did."""
        target = self._folder / f"{self._location.fingerprint(part_name(part))}.{name}.npy"
        try:
            return _map(target)
        except FileNotFoundError:
            pass
        with reading(self._location.name):
            array = self._open(part, name)
            if array is None:
                return None
            unpacked = zarr_sync(_rows([array], slice(None)))[0]
        _save(target, unpacked)
        return _map(target)


async def _rows(arrays: Sequence[_Array], rows: slice) -> list[NDArray[Any]]:
    """Read rows of several arrays at once: one trip to the thread that reads, not one each."""
    reads = [asyncio.ensure_future(array.getitem(rows)) for array in arrays]
    try:
        return [np.asarray(values) for values in await asyncio.gather(*reads)]
    except BaseException:
        for read in reads:  # one failed, or all were given up: none may linger in the thread that others read with
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
        raise


def _map(file: Path) -> NDArray[Any]:
    """Map a file of the cache; raises FileNotFoundError where there is none yet."""
    try:
        return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError from None
    except (OSError, ValueError, EOFError) as error:
        raise StoreError(f"cannot read the cache {file}: {error}; it may be deleted") from None


def _save(file: Path, array: NDArray[Any]) -> None:
    """Write an array into a file under another name, which gets its own once whole: readers never see half a file."""
    aside = file.with_name(f".{secrets.token_hex(8)}.partial.npy")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            np.save(aside, array, allow_pickle=False)
            sync(aside)
            aside.replace(file)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot write the cache {file}: {error.strerror or error}") from None


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "mgmtool"
