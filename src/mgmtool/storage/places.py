"""Where things lie: a folder of this machine, or an object store. The only code that asks whether a name is a URL."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from mgmtool.errors import UsageError
from mgmtool.storage.folder import Folder
from mgmtool.storage.names import is_url
from mgmtool.storage.object_store import ObjectStore


class Place(Protocol):
    """A folder with everything below it, wherever it lies. Picklable; holds no open handle until its first use.

    Names are relative to the place, with ``/`` between folders; ``""`` is the place itself. Failures are ``OSError``;
    FileNotFoundError where what is to be read does not exist.

    Attributes
    ----------
    name : str
        For messages: as it was given, without what may be a secret.
    address : str
        For other libraries: absolute path, or URL with whatever it needs.
    options : dict
        For fsspec, which takes these before what the environment says. Empty for a folder.
    excludes : bool
        Whether locks keep others out. Where they do not, nothing that another process may be writing can be deleted.
    """

    name: str
    address: str
    options: dict[str, Any]

    @property
    def excludes(self) -> bool:
        """See above."""
        ...

    def identity(self) -> str:
        """Return an address that is the same by whichever way the place is reached; may hold a secret."""
        ...

    def read(self, name: str) -> bytes:
        """Read a file."""
        ...

    def read_many(self, names: Sequence[str]) -> Iterator[bytes]:
        """Read files in order, several at a time where that is faster."""
        ...

    def exists(self, name: str = "") -> bool:
        """Whether there is a file or a folder of this name."""
        ...

    def is_file(self, name: str = "") -> bool:
        """Whether there is a file of this name."""
        ...

    def names(self, folder: str = "") -> list[str]:
        """List what lies in a folder, sorted, hidden names included; none where there is no such folder."""
        ...

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Return the size of every file below a folder in bytes, by its name relative to that folder."""
        ...

    def make_folder(self, name: str) -> None:
        """Make an empty folder, where folders exist without anything in them."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole, and the folders above it; readers see the old content or the new."""
        ...

    def create(self, name: str, content: bytes) -> None:
        """Write a file whole that does not exist yet.

        Raises
        ------
        FileExistsError
            There is one, of other content. Where a server or file system has no such step, the last writer wins instead.
        """
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Delete files, and folders that are empty; what does not exist or is not empty stays as it is."""
        ...

    def remove(self, folder: str = "") -> None:
        """Delete a folder with everything below it; one that does not exist is fine."""
        ...

    def unfinished(self, name: str) -> Path:
        """Say in which local folder lies what is finished of something that is not whole; it need not exist.

        The name is the same for every process, so that the next run finds what this one left, unless there is no folder that
        outlives a run.
        """
        ...

    def put_away(self, name: str, *, keep: bool) -> None:
        """Leave the folder of :meth:`unfinished` to the next run if that can use it, or else remove it with all it holds."""
        ...

    def grow(self, name: str) -> Path:
        """Return an empty local folder in which a new folder of this name can grow unseen."""
        ...

    def adopt(self, grown: Path, name: str) -> None:
        """Give what has grown its name, whole and safely stored; whatever was there under this name is gone afterwards."""
        ...

    def drop(self, grown: Path) -> None:
        """Remove what is left of a folder that :meth:`grow` returned."""
        ...

    def lock(self, first: int, count: int = 1) -> bool:
        """Take ``count`` locks from ``first`` on, or all of them for 0, without waiting; False if somebody else has one.

        Where there are no locks, all are granted.
        """
        ...

    def unlock(self, first: int, count: int = 1) -> None:
        """Give locks back. The end of a process gives back all it has."""
        ...

    def held(self, first: int, count: int = 1) -> bool:
        """Whether anybody has one of ``count`` locks from ``first`` on, or for 0 of all of them; takes none, writes nothing."""
        ...


def place(
    where: str | os.PathLike[str], storage_options: Mapping[str, Any] | None = None, *, scratch: str | None = None
) -> Place:
    """Say what a path or URL stands for. Nothing is opened or made.

    Parameters
    ----------
    where : path or URL
        ``s3://``, ``gs://``, ``https://``, ``memory://`` and kin, for which fsspec has a file system; ``file://`` is a local
        folder like any path.
    storage_options : mapping, optional
        Options of fsspec, for URLs only.
    scratch : str, optional
        Local folder in which what goes to an object store grows; by default that of the system for temporary files.

    Raises
    ------
    UsageError
        A URL without fsspec, or without what fsspec needs for it; or storage options for a local path.
    """
    text = os.fspath(where)
    local = text.removeprefix("file://") if is_url(text) else text
    if is_url(local):
        return ObjectStore(local, storage_options, scratch)
    if storage_options:
        raise UsageError(
            f"storage_options given for the local path {text!r}; they are for URLs such as s3://bucket/x.zarr"
        )
    return Folder(local)
