"""Inputs to an ordered list of videos, and that list to parts."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mgmtool.errors import InputError, UsageError
from mgmtool.types import VideoRef


@dataclass(frozen=True, slots=True)
class Corpus:
    """The videos of a run.

    Attributes
    ----------
    root : str
        Absolute folder to which ids are relative.
    videos : tuple of VideoRef
        Sorted by id.
    """

    root: str
    videos: tuple[VideoRef, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """The videos that are written and committed together."""

    number: int
    videos: tuple[VideoRef, ...]


def scan(
    inputs: Sequence[str], extensions: Sequence[str], *, listed: Iterable[str] = (), root: str | None = None
) -> Corpus:
    """Find the videos.

    Parameters
    ----------
    inputs : sequence of str
        Files, folders (walked recursively; hidden files and folders are skipped) and glob patterns. A file that is named is
        taken whatever its ending.
    extensions : sequence of str
        Endings, in lower case, by which a folder walk knows a video.
    listed : iterable of str
        Paths from a list. A path that does not exist becomes a failed video, not the end of the run.
    root : str, optional
        Folder to which ids are relative. By default the folder given, or the deepest folder that holds every input.

    Raises
    ------
    InputError
        An input does not exist, or no video was found.
    UsageError
        An input is not under ``root``.
    """
    files: dict[str, None] = {}
    bases = []
    for name in inputs:
        found, base = _expand(name, tuple(extensions))
        files |= dict.fromkeys(found)
        bases.append(base)
    paths = [os.path.abspath(path) for path in listed]
    files |= dict.fromkeys(paths)
    bases += [os.path.dirname(path) for path in paths]
    if not files:
        kinds = " ".join(extensions)
        raise InputError(
            f"no video found in {', '.join(map(str, inputs)) or 'the list'}; looked for files ending in {kinds}"
        )
    top = os.path.abspath(root) if root else os.path.commonpath(bases)
    videos = sorted((_reference(path, top) for path in files), key=lambda video: video.id)
    return Corpus(top, tuple(videos))


def cut_parts(videos: Sequence[VideoRef], most_videos: int, most_bytes: int) -> list[tuple[VideoRef, ...]]:
    """Cut an ordered list into parts: a part is full at so many videos, or once its input bytes reach the limit."""
    parts: list[tuple[VideoRef, ...]] = []
    part: list[VideoRef] = []
    size = 0
    for video in videos:
        part.append(video)
        size += max(video.size, 0)
        if len(part) == most_videos or size >= most_bytes:
            parts.append(tuple(part))
            part, size = [], 0
    return [*parts, tuple(part)] if part else parts


def plan_parts(
    videos: Sequence[VideoRef], committed: Mapping[int, Sequence[str]], most_videos: int, most_bytes: int
) -> list[Part]:
    """Decide which parts are still to be written.

    As long as the committed parts are what this list of videos would have given, numbering goes on as if the run had never
    stopped. Otherwise the list has changed, and the videos that are in no committed part make new parts behind the last.

    Parameters
    ----------
    videos : sequence of VideoRef
        All videos, ordered.
    committed : mapping
        Part number to the ids it holds.
    most_videos, most_bytes : int
        See :func:`cut_parts`.
    """
    whole = [Part(n, part) for n, part in enumerate(cut_parts(videos, most_videos, most_bytes))]
    ids = {part.number: [video.id for video in part.videos] for part in whole}
    if all(list(known) == ids.get(number) for number, known in committed.items()):
        return [part for part in whole if part.number not in committed]
    there = {video_id for known in committed.values() for video_id in known}
    rest = [video for video in videos if video.id not in there]
    first = max(committed) + 1
    return [Part(first + n, part) for n, part in enumerate(cut_parts(rest, most_videos, most_bytes))]


def _expand(name: str, extensions: tuple[str, ...]) -> tuple[list[str], str]:
    """Files of one input, and the folder it stands for."""
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


def _reference(path: str, root: str) -> VideoRef:
    relative = os.path.relpath(path, root)
    if relative == os.pardir or relative.startswith(os.pardir + os.sep):
        raise UsageError(f"input {path} is not under the root {root}")
    video_id = Path(relative).as_posix().encode("utf-8", "backslashreplace").decode("utf-8")
    try:
        status = os.stat(path)
    except OSError:
        return VideoRef(video_id, path)
    return VideoRef(video_id, path, status.st_size, status.st_mtime_ns)
