"""The files that one INPUT stands for."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator

from mgmtool.errors import InputError


def expand(name: str, extensions: tuple[str, ...]) -> tuple[list[str], str]:
    """Return the files of one input, and the folder it stands for.

    Raises
    ------
    InputError
        It does not exist, matches nothing, or is a folder that cannot be read.
    """
    path = os.path.abspath(name)
    if os.path.exists(path):
        return _files(path, extensions), path if os.path.isdir(path) else os.path.dirname(path)
    matches = sorted(glob.glob(name, recursive=True)) if glob.has_magic(name) else []
    if not matches:
        raise InputError(
            f"no such file or folder: {name!r}" + ("; the pattern matches nothing" if glob.has_magic(name) else "")
        )
    files = [file for match in matches for file in _files(os.path.abspath(match), extensions)]
    return files, os.path.commonpath([os.path.abspath(os.path.dirname(match)) for match in matches])


def _files(path: str, extensions: tuple[str, ...]) -> list[str]:
    """Return the path itself, or the videos below it."""
    if not os.path.isdir(path):
        return [path]
    try:
        return sorted(_walk(path, extensions, set()))
    except OSError as error:
        raise InputError(f"cannot read folder {error.filename!r}: {error.strerror}") from error


def _walk(folder: str, extensions: tuple[str, ...], above: set[tuple[int, int]]) -> Iterator[str]:
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
                yield from _walk(entry.path, extensions, above | {here})
            elif entry.name.lower().endswith(extensions) and not _is_special(entry.path):
                yield entry.path


def _is_special(path: str) -> bool:
    """Whether a name leads to a pipe, a socket or a device, from which a reader might wait for ever."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
