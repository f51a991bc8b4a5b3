"""An ordered list of videos to parts."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mgmtool.types import KnownVideo, Shard, VideoRef

_WHOLE = Shard()


@dataclass(frozen=True, slots=True)
class Part:
    """The videos that are written and committed together.

    Attributes
    ----------
    number : int
        Its number in the store.
    videos : tuple of VideoRef
        In the order of their rows.
    supersedes : mapping
        For videos that are done again, by id, the part whose row no longer counts.
    """

    number: int
    videos: tuple[VideoRef, ...]
    supersedes: Mapping[str, int] = field(default_factory=dict)


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
    videos: Sequence[VideoRef],
    committed: Mapping[int, Sequence[str]],
    most_videos: int,
    most_bytes: int,
    *,
    known: Mapping[str, KnownVideo] | None = None,
    numbers: Collection[int] | None = None,
    again: Collection[str] = (),
    shard: Shard = _WHOLE,
) -> list[Part]:
    """Decide which parts are still to be written, and by this driver.

    As long as the committed parts are what this list of videos would have given, numbering goes on as if the run had never
    stopped. Otherwise the list has changed, and the videos that are in no committed part make new parts behind the last.
    Videos that are to be done again make parts of their own behind those, whose rows supersede the old ones.

    Several drivers with the same list and the same number of shards never write the same part, and never the same video, whatever
    the others have committed when each of them plans.

    Parameters
    ----------
    videos : sequence of VideoRef
        All videos, ordered.
    committed : mapping
        Part number to the ids it holds, without the parts that supersede rows of others.
    most_videos, most_bytes : int
        See :func:`cut_parts`.
    known : mapping, optional
        What counts of each video that is in a part; needed for ``again``.
    numbers : collection of int, optional
        All part numbers that are taken; by default those of ``committed``.
    again : collection of str
        Ids to be done again.
    shard : Shard
        Which of several drivers this is.
    """
    whole = [Part(n, part) for n, part in enumerate(cut_parts(videos, most_videos, most_bytes))]
    if _goes_on(whole, committed, numbers or committed):
        parts = [part for part in whole if part.number not in committed and shard.has(part.number)]
        taken = len(whole)
    else:
        there = {video_id for known_ids in committed.values() for video_id in known_ids} | (known or {}).keys()
        rest = [video for video in videos if video.id not in there and shard.has(_spread(video.id, shard))]
        parts, taken = _behind(0, numbers or committed, cut_parts(rest, most_videos, most_bytes), shard), 0
    redone = [video for video in videos if video.id in again and known and shard.has(known[video.id].part)]
    more = _behind(
        taken,
        {*(numbers or committed), *(part.number for part in parts)},
        cut_parts(redone, most_videos, most_bytes),
        shard,
    )
    return [*parts, *(replace(part, supersedes={v.id: (known or {})[v.id].part for v in part.videos}) for part in more)]


def _goes_on(whole: Sequence[Part], committed: Mapping[int, Sequence[str]], numbers: Collection[int]) -> bool:
    """Whether what is committed is what this list gives, and no number of it went to videos that were done again."""
    ids = {part.number: part.videos for part in whole}
    given_away = set(numbers) - committed.keys()
    return given_away.isdisjoint(ids) and all(_same(known, ids.get(n, ())) for n, known in committed.items())


def _same(ids: Sequence[str], videos: Sequence[VideoRef]) -> bool:
    return len(ids) == len(videos) and all(known == video.id for known, video in zip(ids, videos, strict=True))


def _spread(video_id: str, shard: Shard) -> int:
    """Deal a video to a shard by its id alone, so that every driver deals it alike."""
    return 0 if shard.count == 1 else zlib.crc32(video_id.encode())


def _behind(first: int, taken: Collection[int], groups: Sequence[tuple[VideoRef, ...]], shard: Shard) -> list[Part]:
    """Give new parts numbers behind all others, with numbers that no other shard gives."""
    start = max([first, *(number + 1 for number in taken)])
    start += (shard.index - start) % shard.count
    return [Part(start + n * shard.count, group) for n, group in enumerate(groups)]
