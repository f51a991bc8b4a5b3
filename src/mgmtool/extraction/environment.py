"""Whose fault a failure is: the video's, or that of the place it was read from or worked on in.

A folder of videos that vanishes, as a network share does, and a full folder for temporary files would fail one video after the
other. Such a run stops instead, and keeps what it has.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from mgmtool.errors import NO_SPACE, InputError, ScratchError
from mgmtool.extraction.worker import VideoResult
from mgmtool.storage import is_local, public, storable
from mgmtool.types import VideoRef

_LEAST_FREE = 1 << 20
"""Bytes; a folder with less room is full for every video, not just too small for one."""

_AGAIN = "nothing more was tried; run the same command again"


def judged(result: VideoResult, scratch: str) -> VideoResult:
    """Return how a video ended; one that failed because its file has vanished did not fail by itself.

    Parameters
    ----------
    result : VideoResult
        Of a worker on this machine.
    scratch : str
        Folder for temporary files of the run.

    Raises
    ------
    InputError
        The folder that all videos lie in has vanished, or is empty all of a sudden.
    ScratchError
        The folder for temporary files is full, or gone.
    """
    outcome = result.outcome
    if outcome.failure not in {"open", "io"}:
        return result
    _check_scratch(scratch, str(outcome.message))
    video = outcome.video
    if not is_local(video.path) or os.path.lexists(video.path):
        return result
    root = _root(video)
    if not _holds_something(root):
        raise InputError(
            f"the input folder {root} is gone or empty, so {video.id!r} cannot be read; {_AGAIN} once it is back"
        )
    if video.size < 0:  # it was not there at the start either
        return result
    return replace(result, outcome=replace(outcome, failure="io", message=f"the file is gone: {public(video.path)}"))


def _check_scratch(scratch: str, message: str) -> None:
    folder = Path(scratch).parent
    try:
        free = shutil.disk_usage(scratch).free
    except OSError:
        raise ScratchError(f"the temporary folder {scratch} is gone; {_AGAIN}") from None
    if message.startswith(NO_SPACE) or free < _LEAST_FREE:
        raise ScratchError(
            f"{NO_SPACE} in {folder}; make room there, or name another folder by --scratch or TMPDIR; {_AGAIN}"
        )


def _root(video: VideoRef) -> str:
    """Return the folder to which the id of a video is relative."""
    path = os.path.normpath(video.path)
    names = video.id.count("/") + 1
    return path.rsplit("/", names)[0] or "/" if storable(path).endswith(f"/{video.id}") else str(Path(path).parent)


def _holds_something(folder: str) -> bool:
    """Whether a folder can be read and has an entry; that of a share that is no longer mounted is there, and empty."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False
