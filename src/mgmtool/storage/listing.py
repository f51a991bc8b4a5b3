"""The videos that a URL stands for: an object, a folder, or a glob pattern."""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from mgmtool.errors import InputError
from mgmtool.storage.filesystems import filesystem
from mgmtool.storage.names import is_web, parent, public
from mgmtool.storage.retries import attempt

_TIMES = ("LastModified", "mtime", "last_modified", "updated", "created")
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a listing.

    Attributes
    ----------
    url : str
        Where it is.
    size : int
        Bytes, -1 where the listing does not say.
    mtime_ns : int
        Time of its last change in nanoseconds since the epoch, -1 where the listing does not say.
    """

    url: str
    size: int = -1
    mtime_ns: int = -1


def expand(url: str, extensions: tuple[str, ...], skipped: Counter[str] | None = None) -> tuple[list[Item], str]:
    """Return the objects of one input, sorted, and the URL of the folder it stands for.

    A web address that does not end in a slash is one object, which nobody looks for beforehand: a presigned URL answers nothing
    but the request it was signed for.

    Parameters
    ----------
    url : str
        An object; a folder, of which everything below counts that has one of the extensions, hidden names aside; or a pattern.
    extensions : tuple of str
        Endings, in lower case.
    skipped : Counter, optional
        Objects of a folder that are left out are added here, by ending in lower case; hidden ones are not.

    Raises
    ------
    InputError
        It does not exist, matches nothing, or cannot be read.
    """
    if is_web(url) and not public(url).endswith("/") and "*" not in public(url):
        return [Item(url)], parent(url)
    try:
        found, folder = _expand(url, extensions, Counter() if skipped is None else skipped)
    except FileNotFoundError as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise InputError(f"cannot read {error}") from None
    if not found and glob.has_magic(url):
        raise InputError(f"{public(url)}: the pattern matches nothing")
    return sorted(found, key=lambda item: item.url), folder


def _expand(url: str, extensions: tuple[str, ...], skipped: Counter[str]) -> tuple[list[Item], str]:
    """Take a URL as what is there under this very name, else as a pattern."""
    system, path = filesystem(url)
    system.invalidate_cache()
    folder = url.rstrip("/")
    try:
        info = {"type": "directory"} if is_web(url) else attempt(url, system.info, path)
    except FileNotFoundError:
        if not glob.has_magic(url):
            raise
        return _match(url, extensions, skipped)
    if is_web(url) and "*" in url:
        return _match(url, extensions, skipped)
    if info["type"] == "file":
        return [_item(url, info)], parent(url)
    return list(_walk(folder, url, extensions, skipped)), folder


def _match(url: str, extensions: tuple[str, ...], skipped: Counter[str]) -> tuple[list[Item], str]:
    """Objects that a pattern matches, and those below folders that it matches."""
    base = url[: re.search(r"[*?\[]", url).start()].rpartition("/")[0]  # type: ignore[union-attr]  # it has magic
    system, path = filesystem(url)
    start = len(filesystem(base)[1])
    items: dict[str, Item] = {}
    for name, info in attempt(url, system.glob, path, detail=True).items():
        place = base + name.rstrip("/")[start:]
        if not _hidden(name[start:]):
            more = [_item(place, info)] if info["type"] == "file" else _walk(place, place, extensions, skipped)
            items.update((item.url, item) for item in more)
    return list(items.values()), base


def _walk(folder: str, url: str, extensions: tuple[str, ...], skipped: Counter[str]) -> Iterator[Item]:
    """Videos below a folder."""
    system, path = filesystem(url)
    start = len(path.rstrip("/"))
    for name, info in attempt(url, system.find, path, detail=True).items():
        below = name[start:]
        if info["type"] != "file" or _hidden(below):
            continue
        if below.lower().endswith(extensions):
            yield _item(folder + below, info)
        else:
            skipped[ending(below)] += 1


def ending(name: str) -> str:
    """Return the ending of a file name in lower case, by which skipped files are counted."""
    return PurePosixPath(name).suffix.lower() or "no ending"


def _hidden(below: str) -> bool:
    return "/." in below


def _item(url: str, info: Mapping[str, Any]) -> Item:
    size = info.get("size")
    times = (_nanoseconds(info.get(name)) for name in _TIMES)
    return Item(url, -1 if size is None else int(size), next((time for time in times if time >= 0), -1))


def _nanoseconds(value: Any) -> int:
    """Read a time as file systems give it; -1 for none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return -1
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (zoned - _EPOCH) // timedelta(microseconds=1) * 1000
    return int(value * 1e9) if isinstance(value, (int, float)) else -1
