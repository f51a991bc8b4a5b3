"""A local copy of a remote video, for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mgmtool.errors import NO_SPACE, OpenFailure, ReadFailure, is_full
from mgmtool.files import is_alive
from mgmtool.storage.filesystems import filesystem
from mgmtool.storage.names import file_name, is_url, public
from mgmtool.storage.retries import attempt
from mgmtool.types import VideoRef

_PREFIX = "mgmtool-copy-"
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextmanager
def local_copy(video: VideoRef, folder: str | Path | None = None) -> Iterator[VideoRef]:
    """Fetch a remote video, and delete the copy afterwards; a local video is itself.

    A process has one copy at a time, so a folder holds at most one per process that works in it. The copy of a process that was
    killed is removed by the next one that works there.

    Parameters
    ----------
    video : VideoRef
        The input.
    folder : path, optional
        Local folder for the copy; by default that of the system for temporary files.

    Raises
    ------
    OpenFailure
        It is a pipe, a socket or a device, from which a reader might wait forever.
    ReadFailure
        It cannot be fetched, or there is no room for it.
    """
    if not is_url(video.path):
        kind = special_kind(video.path)
        if kind is not None:
            raise OpenFailure(f"the file is {kind}; expected a video file")
        yield video
        return
    for left in Path(folder or tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if not is_alive(left.name.removeprefix(_PREFIX).partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=folder, ignore_cleanup_errors=True) as own:
        target = Path(own) / file_name(video.path)
        _fetch(video, target)
        yield replace(video, path=str(target))


def special_kind(path: str) -> str | None:
    """Name what a path leads to if it is neither a file nor a folder, such as "a pipe"; a reader might wait on it forever."""
    try:
        return _KINDS.get(stat.S_IFMT(os.stat(path).st_mode))  # noqa: PTH116  of names by the million
    except (OSError, ValueError):
        return None


def _fetch(video: VideoRef, target: Path) -> None:
    """Download a video if there is room for it."""
    try:
        system, path = filesystem(video.path)
        size = video.size if video.size >= 0 else attempt(video.path, system.info, path).get("size")
        free = shutil.disk_usage(target.parent).free
        if size is not None and size > free:
            raise ReadFailure(
                f"{public(video.path)} has {size} bytes, but only {free} are free in {target.parent.parent}"
            )

        def fetch() -> None:
            try:
                system.get_file(path, str(target))
            except OSError as error:
                if is_full(error):
                    raise ReadFailure(
                        f"{NO_SPACE}: cannot fetch {public(video.path)} to {target.parent.parent}"
                    ) from None
                raise

        attempt(video.path, fetch)
    except ReadFailure:
        raise
    except OSError as error:
        raise ReadFailure(f"cannot fetch {error}") from None
