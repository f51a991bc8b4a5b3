"""Objects and folders behind a URL: read, write, list, delete. Whatever goes wrong is an OSError of one line."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mgmtool.storage.filesystems import filesystem
from mgmtool.storage.retries import attempt
from mgmtool.storage.urls import join

_AT_ONCE = 16
"""Requests under way at a time: they wait, they do not compute."""


def read(url: str) -> bytes:
    """Read a small object."""
    system, path = filesystem(url)
    return bytes(attempt(url, system.cat_file, path))


def read_all(url: str, relative: Sequence[str]) -> Iterator[bytes]:
    """Read small objects below a folder, several at a time, in order."""
    system, path = filesystem(url)  # one for all threads: each of its own would have to connect and to sign in

    def fetch(name: str) -> bytes:
        return bytes(attempt(join(url, name), system.cat_file, join(path, name)))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for start in range(0, len(relative), 16 * _AT_ONCE):  # so many in memory, not all of them
            yield from pool.map(fetch, relative[start : start + 16 * _AT_ONCE])


def write(url: str, content: bytes) -> None:
    """Write an object whole; readers see the old one or the new one."""
    system, path = filesystem(url)
    attempt(url, system.pipe_file, path, content)


def create(url: str, content: bytes) -> None:
    """Write an object that is not there yet.

    S3, Google's store and a few others do this in one step; where a server knows no such step, the last writer wins.

    Raises
    ------
    FileExistsError
        Another one is there.
    """
    system, path = filesystem(url)
    attempt(url, _create, system, path, content)


def _create(system: Any, path: str, content: bytes) -> None:
    try:
        system.pipe_file(path, content, mode="create")
    except OSError as error:
        if error.errno == errno.ENOSYS:
            system.pipe_file(path, content)
        elif not _is_there(error):
            raise
        elif bytes(system.cat_file(path)) != content:  # an earlier try of ours may have come through without an answer
            raise FileExistsError("another one is there") from None


def _is_there(error: OSError) -> bool:
    response = getattr(error.__cause__, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, Mapping) else None
    return isinstance(error, FileExistsError) or code in {"PreconditionFailed", "412"}


def exists(url: str) -> bool:
    """Whether there is an object of this name, or a folder."""
    system, path = filesystem(url)
    system.invalidate_cache()
    try:
        attempt(url, system.info, path)
    except FileNotFoundError:
        return False
    return True


def names(url: str) -> list[str]:
    """Return the names of what lies in a folder, sorted; none where there is no such folder."""
    system, path = filesystem(url)
    system.invalidate_cache()
    try:
        found = attempt(url, system.ls, path, detail=False)
    except FileNotFoundError:
        return []
    return sorted(str(name).rstrip("/").rpartition("/")[2] for name in found)


def sizes(url: str) -> dict[str, int]:
    """Return the size of every object below a folder, by its name relative to it."""
    system, path = filesystem(url)
    system.invalidate_cache()
    found = attempt(url, system.find, path, detail=True)
    start = len(path.rstrip("/")) + 1
    return {name[start:]: int(info["size"]) for name, info in found.items() if info["type"] == "file"}


def upload(folder: Path, url: str) -> None:
    """Write every file below a local folder to the same name below a URL, over what is there."""
    system, path = filesystem(url)

    def send(name: str) -> None:
        attempt(join(url, name), system.put_file, str(folder / name), join(path, name))

    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(send, names):
            pass


def download(url: str, target: Path) -> None:
    """Write an object into a local file."""
    system, path = filesystem(url)
    attempt(url, system.get_file, path, str(target))


def size_of(url: str) -> int:
    """Return the size of an object, -1 where the server does not say."""
    system, path = filesystem(url)
    size = attempt(url, system.info, path).get("size")
    return -1 if size is None else int(size)


def delete(url: str, relative: Sequence[str]) -> None:
    """Delete objects below a folder."""
    system, path = filesystem(url)
    if relative:
        attempt(url, system.rm, [join(path, name) for name in relative])
    system.invalidate_cache()
