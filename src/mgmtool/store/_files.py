"""Names, sizes and bytes of the files of a store, wherever it lies; and who is writing it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from mgmtool.storage import objects
from mgmtool.storage.urls import join
from mgmtool.files import Locks
from mgmtool.store.layout import RUNS, part_number


class Files(Protocol):
    """The files below a store. Names are relative to it, with ``/`` between folders."""

    def names(self, folder: str) -> list[str]:
        """List what lies in a folder, sorted, hidden names included; none where there is no such folder."""
        ...

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the size of every file below a folder, by its path relative to that folder."""
        ...

    def read(self, name: str) -> bytes:
        """Read a file; FileNotFoundError where there is none."""
        ...

    def writing(self, number: int | None) -> bool:
        """Whether somebody holds a part, or for None any run, as far as can be told."""
        ...


class LocalFiles:
    """Files of a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root, self._locks = root, Locks(root / ".lock")

    def names(self, folder: str) -> list[str]:
        """See :meth:`Files.names`."""
        try:
            return sorted(path.name for path in (self._root / folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def sizes(self, folder: str) -> dict[str, int]:
        """See :meth:`Files.sizes`."""
        top = self._root / folder
        files = (Path(where, name) for where, _, names in os.walk(top) for name in names)
        return {path.relative_to(top).as_posix(): path.stat().st_size for path in files}

    def read(self, name: str) -> bytes:
        """See :meth:`Files.read`."""
        return (self._root / name).read_bytes()

    def writing(self, number: int | None) -> bool:
        """See :meth:`Files.writing`."""
        return self._locks.held(RUNS, 0) if number is None else self._locks.held(number, 1)


class RemoteFiles:
    """Objects behind a URL, which has no locks."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def names(self, folder: str) -> list[str]:
        """See :meth:`Files.names`."""
        return objects.names(join(self._url, folder).rstrip("/"))

    def sizes(self, folder: str) -> dict[str, int]:
        """See :meth:`Files.sizes`."""
        return objects.sizes(join(self._url, folder).rstrip("/"))

    def read(self, name: str) -> bytes:
        """See :meth:`Files.read`."""
        return objects.read(join(self._url, name))

    def writing(self, number: int | None) -> bool:  # noqa: ARG002
        """See :meth:`Files.writing`."""
        return False


def files_of(store: str | Path) -> Files:
    """Say where the files of a store are. Nothing is opened."""
    text = str(store)
    return RemoteFiles(text) if "://" in text else LocalFiles(Path(store))


def numbered(names: Iterable[str]) -> list[int]:
    """Numbers of the commit records among the names in ``index/``, ascending."""
    stems = (name.removesuffix(".parquet") for name in names if name.endswith(".parquet"))
    return sorted(number for number in map(part_number, stems) if number is not None)
