"""Where a store lies: a local folder, or any place fsspec reaches."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
import zarr.api.asynchronous
import zarr.errors
from zarr.core.sync import sync

from mgmtool import storage
from mgmtool.errors import MgmtoolError, StoreError, UsageError, one_line
from mgmtool.store.index import SCHEMA, current_rows, read_index
from mgmtool.store.layout import part_number

_ABSENT = (
    *(FileNotFoundError, NotADirectoryError, json.JSONDecodeError),
    *(zarr.errors.GroupNotFoundError, zarr.errors.ContainsArrayError),
)


class Location(Protocol):
    """A place a store can be read from. Holds no handle; picklable."""

    name: str

    def group(self) -> Any:
        """Open the root group for reading, as a :class:`zarr.AsyncGroup`."""
        ...

    def index(self) -> pa.Table:
        """Read the rows that count of every committed part, in order."""
        ...

    def fingerprint(self, part: str) -> str:
        """Return a name for the content of a committed part, which changes if the part is written anew."""
        ...


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever a place raises into one line that names the store; file systems have exceptions of their own."""
    try:
        yield
    except (MgmtoolError, MemoryError):
        raise
    except Exception as error:  # each file system raises exceptions of its own kind
        words = one_line(str(error)) or type(error).__name__
        # A server that knows no ranges sends the whole file, whose checksum is another.
        hint = "; the server has to answer range requests" if name.startswith("http") and "checksum" in words else ""
        raise StoreError(f"{name} cannot be read: {words}{hint}") from error


class LocalFolder:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root, self.name = root.absolute(), str(root)

    def group(self) -> Any:
        """See :meth:`Location.group`."""
        return sync(zarr.api.asynchronous.open_group(store=str(self.root), mode="r", zarr_format=3))

    def index(self) -> pa.Table:
        """See :meth:`Location.index`."""
        with reading(self.name):
            return read_index(self.root)

    def fingerprint(self, part: str) -> str:
        """See :meth:`Location.fingerprint`; the commit record is written last and once."""
        record = self.root / "index" / f"{part}.parquet"
        with reading(self.name):
            return _digest(str(self.root.resolve()), part, record.stat().st_mtime_ns, _content(record.read_bytes()))


class RemoteFolder:
    """A folder behind an fsspec URL: ``s3://``, ``gs://``, ``https://``, ``memory://`` and kin."""

    def __init__(self, url: str, storage_options: Mapping[str, Any]) -> None:
        self.name = url.rstrip("/")
        self._options = dict(storage_options)

    def group(self) -> Any:
        """See :meth:`Location.group`."""
        options = self._options or None
        return sync(zarr.api.asynchronous.open_group(store=self.name, mode="r", zarr_format=3, storage_options=options))

    def index(self) -> pa.Table:
        """See :meth:`Location.index`; where folders cannot be listed, the rows of ``index.parquet``."""
        with reading(self.name):
            system, root = self._system()
            names = _records(system, f"{root}/index")
            if names:
                found = system.cat(names)
                return current_rows(pa.concat_tables([_table(found[name]) for name in names]))
            try:
                return _table(system.cat_file(f"{root}/index.parquet"))
            except FileNotFoundError:
                raise StoreError(
                    f"{self.name} has no index: neither index/part-*.parquet nor index.parquet can be found"
                ) from None

    def fingerprint(self, part: str) -> str:
        """See :meth:`Location.fingerprint`; the commit record has the times that each video took."""
        with reading(self.name):
            system, root = self._system()
            return _digest(self.name, part, _content(system.cat_file(f"{root}/index/{part}.parquet")))

    def _system(self) -> tuple[Any, str]:
        system, root = storage.filesystem(self.name, self._options)
        system.invalidate_cache()  # a listing that an earlier store left behind may lack new parts
        return system, root


def _records(system: Any, folder: str) -> list[str]:
    """List the commit records, by part number; none where the folder cannot be listed."""
    try:
        names = system.ls(folder, detail=False)
    except Exception:  # noqa: BLE001  each file system says in its own way that it cannot list
        return []
    parquet = [name for name in names if name.endswith(".parquet")]
    numbered = [(part_number(PurePosixPath(name).stem), name) for name in parquet]
    return [name for _, name in sorted((number, name) for number, name in numbered if number is not None)]


def _table(content: bytes) -> pa.Table:
    return pq.read_table(pa.BufferReader(content), schema=SCHEMA)


def _content(record: bytes) -> str:
    return hashlib.blake2b(record, digest_size=16).hexdigest()


def _digest(*parts: object) -> str:
    return hashlib.blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def locate(url: str | Path, storage_options: Mapping[str, Any] | None = None) -> Location:
    """Say where a path or URL points. Nothing is opened.

    Raises
    ------
    UsageError
        A URL without fsspec, or without what fsspec needs for it; or storage options for a local path.
    """
    text = str(url)
    if "://" not in text:
        if storage_options:
            raise UsageError(
                f"storage_options given for the local path {text!r}; they are for URLs such as s3://bucket/x.zarr"
            )
        return LocalFolder(Path(url))
    storage.check(text)
    return RemoteFolder(text, storage_options or {})


def read_attributes(location: Location) -> dict[str, Any]:
    """Read the attributes of the root group.

    Raises
    ------
    StoreError
        There is no Zarr group, or the place cannot be reached.
    """
    if isinstance(location, LocalFolder) and not location.root.exists():
        raise StoreError(f"no mask store at {location.name}: no such folder")
    with reading(location.name):
        try:
            return dict(location.group().attrs)
        except _ABSENT:
            raise StoreError(f"{location.name} is not a mask store") from None
