"""One remote video on this machine, for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mgmtool.errors import ReadFailure
from mgmtool.files import is_alive
from mgmtool.storage.objects import download, size_of
from mgmtool.storage.urls import file_name, is_url, public
from mgmtool.types import VideoRef

_PREFIX = "mgmtool-copy-"


@contextmanager
def local_copy(video: VideoRef, folder: str | Path | None = None) -> Iterator[VideoRef]:
    """Fetch a remote video, and delete the copy afterwards; a local video is itself.

    A process has one copy at a time, so a folder never holds more than one for each process that works in it: what a process left
    that was killed is removed by the next one that comes here.

    Parameters
    ----------
    video : VideoRef
        The input.
    folder : path, optional
        Local folder for the copy; by default that of the system for temporary files.

    Raises
    ------
    ReadFailure
        It cannot be fetched, or there is no room for it.
    """
    if not is_url(video.path):
        yield video
        return
    _sweep(Path(folder or tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=folder, ignore_cleanup_errors=True) as own:
        target = Path(own) / file_name(video.path)
        _fetch(video, target)
        yield replace(video, path=str(target))


def _fetch(video: VideoRef, target: Path) -> None:
    try:
        size = video.size if video.size >= 0 else size_of(video.path)
        free = shutil.disk_usage(target.parent).free
        if size > free:
            raise ReadFailure(
                f"{public(video.path)} has {size} bytes, but only {free} are free in {target.parent.parent}"
            )
        download(video.path, target)
    except ReadFailure:
        raise
    except OSError as error:
        raise ReadFailure(f"cannot fetch {error}") from None


def _sweep(folder: Path) -> None:
    """Remove the copies of processes that have exited."""
    for path in folder.glob(f"{_PREFIX}*"):
        if not is_alive(path.name.removeprefix(_PREFIX).partition("-")[0]):
            shutil.rmtree(path, ignore_errors=True)
