"""Rows of the arrays of a store: from the store, from mapped memory, or from RAM."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import zarr.api.asynchronous
from numpy.typing import NDArray

from mgmtool.errors import StoreError, UsageError
from mgmtool.files import whole
from mgmtool.storage import Place
from mgmtool.store._errors import read_errors
from mgmtool.store._loop import wait_for
from mgmtool.store.layout import frame_arrays, part_name
from mgmtool.store.records import record_file
from mgmtool.types import ExtractSpec

CACHES = (None, "mmap", "ram")
_OPEN_PARTS = {None: 256, "mmap": 4096}
"""Parts whose arrays stay open; a store of a large corpus has hundreds of thousands, and Linux maps 65,530 files a process."""

_KINDS = {array.name: (np.dtype(array.dtype), 1 + len(array.row)) for array in frame_arrays(ExtractSpec(), energy=True)}
"""Type and number of axes of each array; numbers of rows and columns differ from store to store."""

_Array = Any


class Arrays:
    """Reads rows of a store's arrays.

    Handles are opened when they are first needed, in the process that needs them: a copy made by a fork opens its own, and one
    made by pickling has none.

    Parameters
    ----------
    place : Place
        The store.
    cache : None, "mmap" or "ram"
        None reads and unpacks the chunks that hold the rows, each time. "mmap" unpacks the arrays of a part into a file once,
        which all processes of a machine share. "ram" unpacks them into the memory of the process.
    folder : path, optional
        Where "mmap" keeps its files; by default ``$XDG_CACHE_HOME/mgmtool``.

    Attributes
    ----------
    rooted : bool
        Whether arrays are opened through the root group; False for a store whose root is damaged.

    Raises
    ------
    UsageError
        An unknown cache.
    """

    rooted = True

    def __init__(self, place: Place, cache: str | None = None, folder: str | Path | None = None) -> None:
        if cache not in CACHES:
            raise UsageError(f"cache is {cache!r}; expected None, 'mmap' or 'ram'")
        if folder is None:
            folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mgmtool"
        self._place, self._cache, self._folder = place, cache, Path(folder).absolute()
        self._forget()

    @property
    def name(self) -> str:
        """How errors name the store."""
        return self._place.name

    def __getstate__(self) -> dict[str, Any]:
        return {"_place": self._place, "_cache": self._cache, "_folder": self._folder}

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

    def rows(self, part: int, names: Sequence[str], start: int, stop: int) -> list[NDArray[Any]]:
        """Return rows ``start`` .. ``stop - 1`` of some arrays of a part; do not write to them.

        Raises
        ------
        StoreError
            The part has no such array, or it cannot be read.
        """
        arrays = [self._array(part, name) for name in names]
        for name, array in zip(names, arrays, strict=True):
            if array is None:
                raise StoreError(f"{self.name}: {part_name(part)} has no array {name!r}")
            if not 0 <= start <= stop <= len_of(array):
                raise StoreError(
                    f"{self.name}: {name!r} of {part_name(part)} has {len_of(array)} rows; expected {start} to {stop}"
                )
        return [array[start:stop] for array in arrays] if self._cache else self._read(arrays, slice(start, stop))

    def read(self, part: int, names: Sequence[str], start: int, stop: int) -> dict[str, NDArray[Any]]:
        """Read rows of some arrays straight from the store, whatever the cache; those the part does not have are left out."""
        self._check_process()
        with read_errors(self.name):
            found = {name: self.open(part, name) for name in names}
        there = {name: self._checked(part, name, array) for name, array in found.items() if array is not None}
        for name, array in there.items():
            if stop > len_of(array):
                raise StoreError(f"{name!r} has {len_of(array)} rows; expected at least {stop}")
        return dict(zip(there, self._read(list(there.values()), slice(start, stop)), strict=True))

    def whole(self, array: Any) -> NDArray[Any]:
        """Read all rows of an array that :meth:`open` returned."""
        return self._read([array], slice(None))[0]

    def load(self, parts: Sequence[int], names: Sequence[str]) -> None:
        """Open or unpack arrays now; under "ram", a process that forks afterwards shares them with its children."""
        for part in parts:
            for name in names:
                self._array(part, name)

    def open(self, part: int, name: str) -> Any:
        """Open an array as a :class:`zarr.AsyncArray`; None where the part has none. Errors are as zarr raises them."""
        above = "" if self.rooted else part_name(part)
        if self._root is None or not self.rooted:
            options = self._place.options or None
            group = zarr.api.asynchronous.open_group(
                store=self._place.address, path=above, mode="r", zarr_format=3, storage_options=options
            )
            self._root = wait_for(group)
        try:
            return wait_for(self._root.getitem(name if above else f"{part_name(part)}/{name}"))
        except KeyError:
            return None

    def _read(self, arrays: Sequence[_Array], rows: slice) -> list[NDArray[Any]]:
        with read_errors(self.name):
            return wait_for(_gathered(arrays, rows))

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
            arrays[name] = self._mapped(part, name) if self._cache == "mmap" else self._opened(part, name)
        return arrays[name]

    def _checked(self, part: int, name: str, array: _Array) -> _Array:
        """Return an array, unless it is of another kind than those that mgmtool writes under its name: kernels check nothing."""
        kind, dimensions = _KINDS.get(name, (None, None))
        found = getattr(array, "dtype", None), len(getattr(array, "shape", ()))
        boxes = name != "box" or found[1] != dimensions or array.shape[1] == 4
        if kind is not None and (found != (kind, dimensions) or not boxes):
            raise StoreError(
                f"{self.name}: {name!r} of {part_name(part)} is {found[0]} with {found[1]} axes; "
                f"expected {kind} with {dimensions}"
            )
        return array

    def _opened(self, part: int, name: str) -> _Array:
        """Open an array; with a cache, unpack it."""
        with read_errors(self.name):
            array = self.open(part, name)
        if array is None:
            return None
        self._checked(part, name, array)
        if self._cache:
            array = self.whole(array)
            array.setflags(write=False)
        return array

    def _mapped(self, part: int, name: str) -> NDArray[Any] | None:
        """Map the file into which an array was unpacked; unpack it first if nobody did."""
        with read_errors(self.name):
            # The record tells one content from another: it holds the checksums of the arrays, and the time each video took.
            record = hashlib.blake2b(self._place.read(record_file(part)), digest_size=16).hexdigest()
        key = "\0".join((self._place.identity(), part_name(part), record)).encode("utf-8", "surrogateescape")
        target = self._folder / f"{hashlib.blake2b(key, digest_size=12).hexdigest()}.{name}.npy"
        if (mapped := _map(target)) is not None:
            return cast("NDArray[Any]", self._checked(part, name, mapped))
        array = self._opened(part, name)
        if array is None:
            return None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # np.save keeps this ending as it is.
            with whole(target, target.with_name(f".{secrets.token_hex(8)}.partial.npy")) as partial:
                np.save(partial, array, allow_pickle=False)
        except OSError as error:
            raise StoreError(f"cannot write the cache {target}: {error.strerror or error}") from None
        return _map(target)


def len_of(array: _Array) -> int:
    """Count the rows of an array, open or unpacked."""
    return int(array.shape[0])


async def _gathered(arrays: Sequence[_Array], rows: slice) -> list[NDArray[Any]]:
    """Read rows of several arrays at once."""
    reads = [asyncio.ensure_future(array.getitem(rows)) for array in arrays]
    try:
        return [np.asarray(values) for values in await asyncio.gather(*reads)]
    except BaseException:
        for read in reads:  # one failed, or all were given up: none may linger in the thread that others read with
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
        raise


def _map(file: Path) -> NDArray[Any] | None:
    """Map a file of the cache; None where there is none yet."""
    try:
        return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, EOFError) as error:
        raise StoreError(f"cannot read the cache {file}: {error}; it may be deleted") from None
