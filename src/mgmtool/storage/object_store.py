"""A folder behind a URL: an object store, a web server, or wherever else fsspec reaches."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mgmtool.storage.filesystems import check, filesystem
from mgmtool.storage.names import join, public
from mgmtool.storage.retries import attempt

_AT_ONCE = 16
"""Requests under way at a time: they wait, they do not compute."""


class ObjectStore:
    """A folder behind a URL; see :class:`mgmtool.storage.Place`. Every request is tried again where its error may pass.

    There are no locks and no renames: what has grown on this machine is uploaded under its own name.

    Parameters
    ----------
    url : str
        The folder.
    options : mapping, optional
        Go to fsspec before what the environment says.
    scratch : str, optional
        Local folder in which things grow; by default that of the system for temporary files.

    Raises
    ------
    UsageError
        fsspec is missing, or what it needs for this URL.
    """

    excludes = False

    def __init__(self, url: str, options: Mapping[str, Any] | None = None, scratch: str | None = None) -> None:
        check(url)
        self.address = url.rstrip("/")
        self.name = public(self.address)
        self.options = dict(options or {})
        self._scratch = scratch
        self._temporary: dict[str, Path] = {}

    def __reduce__(self) -> tuple[type[ObjectStore], tuple[Any, ...]]:
        return ObjectStore, (self.address, self.options, self._scratch)

    def identity(self) -> str:
        """See :meth:`mgmtool.storage.Place.identity`."""
        return self.address

    def read(self, name: str) -> bytes:
        """See :meth:`mgmtool.storage.Place.read`."""
        system, root = self._system()
        return bytes(attempt(join(self.address, name), system.cat_file, join(root, name)))

    def read_many(self, names: Sequence[str]) -> Iterator[bytes]:
        """See :meth:`mgmtool.storage.Place.read_many`."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for start in range(0, len(names), 16 * _AT_ONCE):  # so many in memory, not all of them
                yield from pool.map(self.read, names[start : start + 16 * _AT_ONCE])

    def exists(self, name: str = "") -> bool:
        """See :meth:`mgmtool.storage.Place.exists`."""
        return self._kind(name) is not None

    def is_file(self, name: str = "") -> bool:
        """See :meth:`mgmtool.storage.Place.is_file`."""
        return self._kind(name) == "file"

    def _kind(self, name: str) -> str | None:
        system, path, url = self._fresh(name)
        try:
            return str(attempt(url, system.info, path)["type"])
        except FileNotFoundError:
            return None

    def names(self, folder: str = "") -> list[str]:
        """See :meth:`mgmtool.storage.Place.names`."""
        system, path, url = self._fresh(folder)
        try:
            found = attempt(url, system.ls, path, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(str(name).rstrip("/").rpartition("/")[2] for name in found)

    def sizes(self, folder: str = "") -> dict[str, int]:
        """See :meth:`mgmtool.storage.Place.sizes`."""
        system, path, url = self._fresh(folder)
        found = attempt(url, system.find, path, detail=True)
        start = len(path.rstrip("/")) + 1
        return {name[start:]: int(info["size"]) for name, info in found.items() if info["type"] == "file"}

    def make_folder(self, name: str) -> None:
        """See :meth:`mgmtool.storage.Place.make_folder`."""

    def write(self, name: str, content: bytes) -> None:
        """See :meth:`mgmtool.storage.Place.write`."""
        system, root = self._system()
        attempt(join(self.address, name), system.pipe_file, join(root, name), content)

    def create(self, name: str, content: bytes) -> None:
        """See :meth:`mgmtool.storage.Place.create`; S3, Google's store and a few others have such a step."""
        system, root = self._system()
        attempt(join(self.address, name), _create, system, join(root, name), content)

    def delete(self, names: Sequence[str]) -> None:
        """See :meth:`mgmtool.storage.Place.delete`; folders are there as long as something is in them."""
        system, root = self._system()
        if names:
            attempt(self.address, _delete, system, [join(root, name) for name in names])
        system.invalidate_cache()

    def remove(self, folder: str = "") -> None:
        """See :meth:`mgmtool.storage.Place.remove`."""
        self.delete([join(folder, name) if folder else name for name in self.sizes(folder)])

    def unfinished(self, name: str) -> Path:
        """See :meth:`mgmtool.storage.Place.unfinished`; a folder that outlives a run there is in ``scratch`` alone."""
        if self._scratch is not None:
            store = hashlib.blake2b(self.address.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
            return Path(self._scratch) / f"mgmtool-{store}-{name}"
        if name not in self._temporary:
            self._temporary[name] = Path(tempfile.mkdtemp(prefix="mgmtool-journal-"))
        return self._temporary[name]

    def put_away(self, name: str, *, keep: bool) -> None:
        """See :meth:`mgmtool.storage.Place.put_away`."""
        temporary = self._temporary.pop(name, None)
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        elif self._scratch is not None and not keep:
            shutil.rmtree(self.unfinished(name), ignore_errors=True)
        elif self._scratch is not None:
            with contextlib.suppress(OSError):  # not empty, or not there
                self.unfinished(name).rmdir()

    def grow(self, name: str) -> Path:  # noqa: ARG002
        """See :meth:`mgmtool.storage.Place.grow`."""
        return Path(tempfile.mkdtemp(prefix="mgmtool-part-", dir=self._scratch))

    def adopt(self, grown: Path, name: str) -> None:
        """See :meth:`mgmtool.storage.Place.adopt`; files are written over what is there, then the surplus is deleted.

        Another process that makes the same from the same input writes the same objects, so neither harms the other.
        """
        system, root = self._system()
        paths = {path.relative_to(grown).as_posix(): path for path in grown.rglob("*") if path.is_file()}
        names = {below: join(name, below) if name else below for below in sorted(paths)}

        def send(below: str) -> None:
            to = names[below]
            attempt(join(self.address, to), system.put_file, str(paths[below]), join(root, to))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(send, names))
        there = self.sizes(name)
        for below, to in names.items():
            size = paths[below].stat().st_size
            if there.get(below) != size:
                where = public(join(self.address, to))
                raise OSError(f"{where} has {there.get(below, 'no')} bytes after its upload, not {size}")
        self.delete([join(name, below) if name else below for below in there.keys() - names.keys()])

    def drop(self, grown: Path) -> None:
        """See :meth:`mgmtool.storage.Place.drop`."""
        shutil.rmtree(grown, ignore_errors=True)

    def lock(self, first: int, count: int = 1) -> bool:  # noqa: ARG002
        """See :meth:`mgmtool.storage.Place.lock`; granted, always."""
        return True

    def unlock(self, first: int, count: int = 1) -> None:
        """See :meth:`mgmtool.storage.Place.unlock`."""

    def held(self, first: int, count: int = 1) -> bool:  # noqa: ARG002
        """See :meth:`mgmtool.storage.Place.held`; nobody can tell."""
        return False

    def _system(self) -> tuple[Any, str]:
        """Return the file system, one for all threads (each of its own would have to connect and sign in), and the root there."""
        return filesystem(self.address, self.options)

    def _fresh(self, name: str) -> tuple[Any, str, str]:
        """Return the file system without what it remembers of listings, and the path and URL of a name."""
        system, root = self._system()
        system.invalidate_cache()
        return (system, join(root, name), join(self.address, name)) if name else (system, root, self.address)


def _create(system: Any, path: str, content: bytes) -> None:
    try:
        system.pipe_file(path, content, mode="create")
    except OSError as error:
        answer = getattr(error.__cause__, "response", None)
        code = answer.get("Error", {}).get("Code") if isinstance(answer, Mapping) else None
        if error.errno == errno.ENOSYS:
            system.pipe_file(path, content)
        elif not isinstance(error, FileExistsError) and code not in {"PreconditionFailed", "412"}:
            raise
        elif bytes(system.cat_file(path)) != content:  # an earlier try of ours may have come through without an answer
            raise FileExistsError("another one is there") from None


def _delete(system: Any, paths: Sequence[str]) -> None:
    try:
        system.rm(list(paths))
    except FileNotFoundError:  # of some systems, for all if one of them is missing
        for path in paths:
            if system.isfile(path):
                system.rm_file(path)
