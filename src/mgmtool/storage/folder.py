"""A folder of this machine, or of a file system that several machines share."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mgmtool.files import Locks, create, make_folder, sync, whole

GROWING = ".writing"
"""Folder in the place where what is not whole yet grows."""
GROWN = "grown-"
"""How the names of folders begin in which the arrays of a part grow; whatever else lies beside them outlives its writer."""
LOCK_FILE = ".lock"


class Folder:
    """A folder; see :class:`mgmtool.storage.Place`. What grows lies in :data:`GROWING`, and is moved into place by a rename.

    Parameters
    ----------
    path : str
        The folder, which need not exist.
    """

    def __init__(self, path: str) -> None:
        self._root = Path(path).absolute()  # another process, or this one later, may have another current folder
        self.name, self.address = str(Path(path)), str(self._root)
        self.options: dict[str, Any] = {}
        self._locks = Locks(self._root / LOCK_FILE)

    @property
    def excludes(self) -> bool:
        """See :class:`mgmtool.storage.Place`; known once a lock has been asked for."""
        return self._locks.exclude

    def identity(self) -> str:
        """See :meth:`mgmtool.storage.Place.identity`."""
        return str(self._root.resolve())

    def read(self, name: str) -> bytes:
        """See :meth:`mgmtool.storage.Place.read`."""
        return (self._root / name).read_bytes()

    def read_many(self, names: Sequence[str]) -> Iterator[bytes]:
        """See :meth:`mgmtool.storage.Place.read_many`."""
        return map(self.read, names)

    def exists(self, name: str = "") -> bool:
        """See :meth:`mgmtool.storage.Place.exists`."""
        return (self._root / name).exists()

    def is_file(self, name: str = "") -> bool:
        """See :meth:`mgmtool.storage.Place.is_file`."""
        return (self._root / name).is_file()

    def names(self, folder: str = "") -> list[str]:
        """See :meth:`mgmtool.storage.Place.names`."""
        try:
            return sorted(path.name for path in (self._root / folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def sizes(self, folder: str = "") -> dict[str, int]:
        """See :meth:`mgmtool.storage.Place.sizes`."""
        top = self._root / folder
        sizes = {}
        for path in (Path(where, name) for where, _, names in os.walk(top) for name in names):
            with contextlib.suppress(FileNotFoundError):  # whoever writes there may have removed it meanwhile
                sizes[path.relative_to(top).as_posix()] = path.stat().st_size
        return sizes

    def make_folder(self, name: str) -> None:
        """See :meth:`mgmtool.storage.Place.make_folder`."""
        make_folder(self._root / name)

    def write(self, name: str, content: bytes) -> None:
        """See :meth:`mgmtool.storage.Place.write`."""
        path = self._to_write(name)
        with whole(path, _aside(path)) as partial:
            partial.write_bytes(content)

    def create(self, name: str, content: bytes) -> None:
        """See :meth:`mgmtool.storage.Place.create`."""
        path = self._to_write(name)
        try:
            create(path, content, _aside(path))
        except FileExistsError:
            if path.read_bytes() != content:
                raise

    def _to_write(self, name: str) -> Path:
        path = self._root / name
        make_folder(path.parent)
        return path

    def delete(self, names: Sequence[str]) -> None:
        """See :meth:`mgmtool.storage.Place.delete`."""
        for name in names:
            path = self._root / name
            if path.is_dir() and not path.is_symlink():
                with contextlib.suppress(OSError):  # not empty, or somebody else removed it
                    path.rmdir()
            else:
                path.unlink(missing_ok=True)

    def remove(self, folder: str = "") -> None:
        """See :meth:`mgmtool.storage.Place.remove`."""
        path = self._root / folder
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)
            sync(path.parent)

    def unfinished(self, name: str) -> Path:
        """See :meth:`mgmtool.storage.Place.unfinished`."""
        return self._root / GROWING / name

    def grow(self, name: str) -> Path:
        """See :meth:`mgmtool.storage.Place.grow`."""
        grown = self.unfinished(name) / f"{GROWN}{secrets.token_hex(4)}"
        make_folder(grown)
        return grown

    def adopt(self, grown: Path, name: str) -> None:
        """See :meth:`mgmtool.storage.Place.adopt`."""
        for path in (*sorted(grown.rglob("*")), grown, grown.parent):
            sync(path)
        target = self._root / name
        shutil.rmtree(target, ignore_errors=True)
        grown.rename(target)
        for path in (target, target.parent, grown.parent):
            sync(path)

    def drop(self, grown: Path) -> None:
        """See :meth:`mgmtool.storage.Place.drop`."""
        shutil.rmtree(grown, ignore_errors=True)
        self.put_away(grown.parent.name, keep=True)

    def put_away(self, name: str, *, keep: bool) -> None:
        """See :meth:`mgmtool.storage.Place.put_away`."""
        if not keep:
            shutil.rmtree(self.unfinished(name), ignore_errors=True)
        self.delete([f"{GROWING}/{name}", GROWING])

    def lock(self, first: int, count: int = 1) -> bool:
        """See :meth:`mgmtool.storage.Place.lock`."""
        return self._locks.take(first, count)

    def unlock(self, first: int, count: int = 1) -> None:
        """See :meth:`mgmtool.storage.Place.unlock`."""
        self._locks.give(first, count)

    def held(self, first: int, count: int = 1) -> bool:
        """See :meth:`mgmtool.storage.Place.held`."""
        return self._locks.held(first, count)


def _aside(path: Path) -> Path:
    """Name what is being written so that nobody else's is the same; whoever has its lock removes what was left behind."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")
