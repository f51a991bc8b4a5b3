"""Paths, URLs and ids."""

from __future__ import annotations

import os

from mgmtool.errors import UsageError
from mgmtool.storage import is_url, public

__all__ = ["absolute", "is_url", "storable", "video_id"]


def absolute(name: str, base: str = "") -> str:
    """Return a URL as it is, and any other name as an absolute path without ``.`` and ``..``.

    Parameters
    ----------
    name : str
        File name, path or URL.
    base : str
        Folder, or URL of one, below which a relative name lies; by default the working folder.
    """
    if is_url(name):
        return name
    if is_url(base) and not os.path.isabs(name):
        return f"{base.rstrip('/')}/{name}"
    return os.path.abspath(name if is_url(base) else os.path.join(base, name))


def video_id(path: str, root: str) -> str:
    """Return the id of a video: its path relative to the root. A URL that is not below the root is its own id, less ``scheme://``.

    What follows the ``?`` of a web address is no part of the id: presigned URLs of one object differ from day to day.

    Parameters
    ----------
    path, root : str
        As :func:`absolute` gives them; the root may be empty where every path is a URL.

    Raises
    ------
    UsageError
        The path is not under the root.
    """
    top = root if root.endswith("/") else f"{root}/"
    path = public(path)
    if path.startswith(top) and len(path) > len(top):
        return storable(path[len(top) :])
    if is_url(path):
        return storable(path.partition("://")[2])
    relative = os.pardir if is_url(root) else os.path.relpath(path, root)
    if relative == os.pardir or relative.startswith(os.pardir + os.sep):
        raise UsageError(f"input {path} is not under the root {root}")
    return storable(relative)


def storable(text: str) -> str:
    """Make any file name valid Unicode: bytes that are none become escapes such as ``udc80`` after a backslash."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
