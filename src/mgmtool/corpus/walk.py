"""The files that one INPUT stands for."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterator

from mgmtool.errors import InputError
from mgmtool.storage import ending, special_kind

SPECIAL = "pipes, sockets and devices"
"""What counts of skipped files call those from which a reader might wait forever."""


def expand(name: str, extensions: tuple[str, ...], skipped: Counter[str]) -> tuple[list[str], str]:
    """Return the files of one input, and the folder it stands for.

    Parameters
    ----------
    name : str
        A file, a folder or a glob pattern.
    extensions : tuple of str
        Endings of videos, in lower case; a file that is named is taken whatever its ending.
    skipped : Counter
        Files of a folder that are left out are added here, by ending in lower case; hidden ones are not.

    Raises
    ------
    InputError
        It does not exist, matches nothing, is a pipe, a socket or a device, or a folder that cannot be read.
    """
    path = os.path.abspath(name)
    if os.path.exists(path):
        kind = special_kind(path)
        if kind is not None:
            raise InputError(f"input {name!r} is {kind}; expected a video file or a folder")
        return _files(path, extensions, skipped), path if os.path.isdir(path) else os.path.dirname(path)
    matches = sorted(glob.glob(name, recursive=True)) if glob.has_magic(name) else []
    if not matches:
        raise InputError(
            f"no such file or folder: {name!r}" + ("; the pattern matches nothing" if glob.has_magic(name) else "")
        )
    files = [file for match in matches for file in _files(os.path.abspath(match), extensions, skipped)]
    return files, os.path.commonpath([os.path.abspath(os.path.dirname(match)) for match in matches])


def _files(path: str, extensions: tuple[str, ...], skipped: Counter[str]) -> list[str]:
    """Return the path itself, or the videos below it."""
    if not os.path.isdir(path):
        if special_kind(path) is None:
            return [path]
        skipped[SPECIAL] += 1  # a pattern matches whatever is there
        return []
    try:
        return sorted(_walk(path, extensions, set(), skipped))
    except OSError as error:
        raise InputError(f"cannot read folder {error.filename!r}: {error.strerror}") from error


def _walk(
    folder: str, extensions: tuple[str, ...], above: set[tuple[int, int]], skipped: Counter[str]
) -> Iterator[str]:
    """Videos below a folder. Links to folders are followed unless they lead back up."""
    status = os.stat(folder)
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):  # hidden, and the "._" twins that macOS leaves on foreign disks
                continue
            if os.path.isdir(entry.path):  # entry.is_dir() raises on a link to itself
                yield from _walk(entry.path, extensions, above | {here}, skipped)
            elif not entry.name.lower().endswith(extensions):
                skipped[ending(entry.name)] += 1
            elif special_kind(entry.path) is not None:
                skipped[SPECIAL] += 1
            else:
                yield entry.path
