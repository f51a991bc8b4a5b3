"""An ordered list of videos to parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mgmtool.types import VideoRef


@dataclass(frozen=True, slots=True)
class Part:
    """The videos that are written and committed together."""

    number: int
    videos: tuple[VideoRef, ...]


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
