"""What tells a file from the one that was there before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import xxhash

from mgmtool.storage import is_local
from mgmtool.types import KnownVideo, VideoRef

_BLOCK = 1 << 20
_READERS = 8


def content_fingerprint(path: str) -> str:
    """Return the XXH3 (128 bits) of a file, in hexadecimal digits.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    digest = xxhash.xxh3_128()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def changed_videos(videos: Iterable[VideoRef], known: Mapping[str, KnownVideo], fingerprint: str) -> list[VideoRef]:
    """Find the videos whose files are not those that were extracted.

    Parameters
    ----------
    videos : iterable of VideoRef
        All videos, ordered.
    known : mapping
        What earlier runs ended, by id.
    fingerprint : str
        ``stat``: another size or modification time. ``content``: another size, or another XXH3; where the store has none, as
        for ``stat``, and of a URL, which nobody fetches for that. What is not known on either side says nothing.

    Returns
    -------
    list of VideoRef
        In the order of the videos.
    """
    pairs = [(video, known[video.id]) for video in videos if video.id in known]
    if fingerprint == "stat":
        return [video for video, before in pairs if _differs(video, before)]
    with ThreadPoolExecutor(_READERS) as pool:  # reading waits for disks, and xxhash lets other threads run
        verdicts = pool.map(lambda pair: _content_differs(*pair), pairs)
        return [video for (video, _), changed in zip(pairs, verdicts, strict=True) if changed]


def _differs(video: VideoRef, before: KnownVideo) -> bool:
    pairs = [(video.size, before.size), (video.mtime_ns, before.mtime_ns)]
    return any(now >= 0 and then >= 0 and now != then for now, then in pairs)


def _content_differs(video: VideoRef, before: KnownVideo) -> bool:
    if (
        not is_local(video.path)
        or before.fingerprint is None
        or (before.size >= 0 and video.size not in {-1, before.size})
    ):
        return _differs(video, before)
    try:
        return content_fingerprint(video.path) != before.fingerprint
    except OSError:
        return False  # a file that is gone is not another one
