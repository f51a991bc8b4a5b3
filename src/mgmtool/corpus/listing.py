"""Inputs and listed videos to one ordered list."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from mgmtool.corpus.entry import Entry, merged
from mgmtool.corpus.names import video_id
from mgmtool.corpus.walk import expand
from mgmtool.errors import InputError, UsageError
from mgmtool.storage import absolute, check, is_local, protocols, public
from mgmtool.storage import expand as expand_url
from mgmtool.types import VideoRef


@dataclass(frozen=True, slots=True)
class Corpus:
    """The videos of a run.

    Attributes
    ----------
    root : str
        Absolute folder to which ids are relative; a URL if one was given; empty if every video is a URL and none was given.
    videos : tuple of VideoRef
        Sorted by id.
    skipped : mapping
        How many files of the folders were left out because of their ending, by that ending; most first.
    """

    root: str
    videos: tuple[VideoRef, ...]
    skipped: Mapping[str, int] = field(default_factory=dict)


class _Found:
    """Paths so far, each once, with what is known of it; the deepest folder of all that are on disk, and folders of URLs."""

    def __init__(self) -> None:
        self.files: dict[str, Entry | None] = {}
        self.folder: str | None = None
        self.places: list[str] = []
        self.skipped: Counter[str] = Counter()
        self._checked: set[tuple[str, ...]] = set()

    @property
    def root(self) -> str:
        """What ids are relative to if nobody says."""
        return _common(self.places) if self.folder is None else self.folder

    def walk(self, name: str, extensions: tuple[str, ...]) -> None:
        """Take the files of one input."""
        if not is_local(name):
            self._list(name, extensions)
            return
        paths, base = expand(name, extensions, self.skipped)
        for path in paths:
            self.files.setdefault(path, None)
        self._widen(base)

    def _list(self, url: str, extensions: tuple[str, ...]) -> None:
        check(url)
        items, place = expand_url(url, extensions, self.skipped)
        for item in items:
            self.files.setdefault(item.url, Entry(item.url, size=item.size, mtime_ns=item.mtime_ns))
        self.places.append(place)

    def take(self, item: str | Entry, allowed: Collection[str] | None) -> None:
        """Take one listed video; one that is a URL, only of a protocol that is allowed."""
        given = item if isinstance(item, str) else item.path
        path = absolute(given)
        if path == given:
            path = given  # one string, not two that are equal: there may be millions
        if not is_local(path):
            self._refuse(path, allowed)
        if isinstance(item, str):
            self.files.setdefault(path, None)
        else:
            self.files[path] = merged(self.files.get(path), item)
        inside = self.folder is not None and path.startswith(self.folder + "/")
        if not inside and is_local(path):
            self._widen(os.path.dirname(path))

    def _refuse(self, url: str, allowed: Collection[str] | None) -> None:
        needed = tuple(protocols(url))
        if needed in self._checked:
            return
        missing = [] if allowed is None else [name for name in dict.fromkeys(needed) if name not in allowed]
        if missing:
            flags = " ".join(f"--allow-protocol {name}" for name in missing)
            raise UsageError(
                f"the list names {public(url)!r}, but no input on the command line is of the protocol {missing[0]}; "
                f"{flags} allows it"
            )
        check(url)  # before the run: a library that is missing would fail every video
        self._checked.add(needed)

    def _widen(self, folder: str) -> None:
        self.folder = folder if self.folder is None else os.path.commonpath([self.folder, folder])


def scan(
    inputs: Sequence[str],
    extensions: Sequence[str],
    *,
    listed: Iterable[str | Entry] = (),
    root: str | None = None,
    limit: int | None = None,
    allowed: Collection[str] | None = None,
) -> Corpus:
    """Find the videos.

    Parameters
    ----------
    inputs : sequence of str
        Files, folders (walked recursively; hidden files and folders are skipped) and glob patterns, or URLs of the like. A file
        that is named is taken whatever its ending.
    extensions : sequence of str
        Endings, in lower case, by which a folder walk knows a video.
    listed : iterable of str or Entry
        Videos from a list. A path that does not exist becomes a failed video, not the end of the run. A file is not looked at
        where its entry gives a size. Of several labels for one path the first counts.
    root : str, optional
        Folder, or URL of one, to which ids are relative. By default the folder given, or the deepest folder that holds every
        input.
    limit : int, optional
        Take only so many videos, the first of the ordered list.
    allowed : collection of str, optional
        Protocols that listed URLs may have besides those of ``inputs`` and ``root``, in lower case; ``file`` for paths of this
        machine inside a URL. By default all: a list that comes from elsewhere could have this machine read what only it can.

    Raises
    ------
    InputError
        An input does not exist, or no video was found.
    UsageError
        An input is not under ``root``, two videos would have the same id, a listed URL is of a protocol that is not allowed, or
        the library that a protocol needs is missing.
    """
    found = _Found()
    if allowed is not None:
        named = (name for name in (*map(os.fspath, inputs), root or "") if not is_local(name))
        allowed = {*allowed, *(protocol for name in named for protocol in protocols(name))}
    for name in inputs:
        found.walk(os.fspath(name), tuple(extensions))
    for item in listed:
        found.take(item, allowed)
    if not found.files:
        kinds, places = " ".join(extensions), ", ".join(map(public, inputs)) or "the list"
        raise InputError(f"no video found in {places}; looked for files ending in {kinds}")
    top = found.root if root is None else public(absolute(root)).rstrip("/") or "/"
    order = sorted(found.files, key=lambda path: video_id(path, top))[:limit]
    # Entries go as their videos come, so that the list is never in memory twice.
    videos = tuple(_reference(path, found.files.pop(path), top) for path in order)
    _refuse_twins(videos)
    return Corpus(top, videos, dict(found.skipped.most_common()))


def _common(places: Sequence[str]) -> str:
    """Return the deepest folder that holds all of some URLs; nothing where they share none, or there are none."""
    if not places:
        return ""
    levels = zip(*(place.split("/") for place in places), strict=False)
    shared = [names[0] for names in takewhile(lambda names: len(set(names)) == 1, levels)]
    return "/".join(shared) if len(shared) > 2 else ""  # more than s3: and nothing


def _reference(path: str, entry: Entry | None, root: str) -> VideoRef:
    label, extra = (None, None) if entry is None else (entry.label, entry.extra)
    size, mtime_ns = _status(path) if entry is None or entry.size < 0 else (entry.size, entry.mtime_ns)
    return VideoRef(video_id(path, root), path, size, mtime_ns, label=label, extra=extra)


def _status(path: str) -> tuple[int, int]:
    """Size and time of change; -1 where the file cannot be looked at, as then a worker says why."""
    if not is_local(path):
        return -1, -1
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError: a name with a NUL in it
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _refuse_twins(videos: Sequence[VideoRef]) -> None:
    """Refuse ids that are not unique, as those of ``http://a/b`` and ``https://a/b``."""
    for one, other in pairwise(videos):
        if one.id == other.id:
            raise UsageError(
                f"two videos would have the id {one.id!r}: {public(one.path)!r} and {public(other.path)!r}"
            )
