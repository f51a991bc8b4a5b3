"""Ids of videos."""

from __future__ import annotations

from mgmtool.errors import UsageError
from mgmtool.storage import is_local, relative, storable, without_scheme


def video_id(path: str, root: str) -> str:
    """Return the id of a video: its path relative to the root. A URL that is not below the root is its own id, less ``scheme://``.

    What follows the ``?`` of a web address is no part of the id: presigned URLs of one object differ from day to day.

    Parameters
    ----------
    path, root : str
        As :func:`mgmtool.storage.absolute` gives them; the root may be empty where every path is a URL.

    Raises
    ------
    UsageError
        The path is not under the root.
    """
    below = relative(path, root)
    if below is None:
        if is_local(path):
            raise UsageError(f"input {path} is not under the root {root}")
        below = without_scheme(path)
    return storable(below)
