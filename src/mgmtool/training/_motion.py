"""What placing a clip needs from a store: energy, scenes, objects between its first and its last frame."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import cast

import numpy as np

from mgmtool import masking
from mgmtool.errors import UsageError
from mgmtool.masking import Scheme
from mgmtool.store import Arrays, VideoRows
from mgmtool.types import Clip, FrameFlag, Int16, Int64, Tracks, VideoMotion, VideoRef

_TRACKS_KEPT = 1024
_WITH_ENERGY = ("flags", "energy", "energy_scale")
_WITHOUT_ENERGY = ("flags", "box")
_CUT = int(FrameFlag.SCENE_CUT)


@dataclass(frozen=True, slots=True)
class ClipMotion:
    """What a clip is placed with.

    Attributes
    ----------
    scheme : Scheme
        Who places: the scheme asked for, or ``boxes`` where only boxes are stored.
    motion : VideoMotion
        Energy, scenes and objects of the frames from ``first`` on.
    first : int
        Frame index of the first of them.
    """

    scheme: Scheme
    motion: VideoMotion
    first: int


def read_motion(arrays: Arrays, rows: VideoRows, clip: Clip, scheme: Scheme) -> ClipMotion:
    """Read what a scheme looks at between the first and the last frame of a clip.

    Raises
    ------
    UsageError
        Another number of frames, a frame outside the video, or a scheme the store has nothing for.
    VideoError
        The file of tracks of the video cannot be used.
    """
    lowest, highest = frame_span(rows, clip)
    known = cast("Hashable", scheme)  # a frozen record of its options
    tracks = tracks_of(known, rows.id, rows.path) if scheme.needs_tracks else None
    # Tracks count frames from the start of the video.
    first, stop = (0 if tracks is not None else lowest), highest + 1
    names: tuple[str, ...] = ("flags",)
    if scheme.needs_motion:
        names = _WITH_ENERGY if arrays.has(rows.part, "energy") else _WITHOUT_ENERGY
    found = dict(zip(names, arrays.rows(rows.part, names, rows.start + first, rows.start + stop), strict=True))
    if "box" in found:
        scheme, tracks = boxes_scheme(), track_of_boxes(found["box"], rows.id)
    scene: Int64 = np.cumsum((found["flags"] & _CUT) > 0)
    energy, scale = found.get("energy"), found.get("energy_scale")
    return ClipMotion(scheme, VideoMotion(rows.height, rows.width, scene, energy, scale, tracks), first)


def preload(arrays: Arrays, parts: list[int]) -> None:
    """Open or unpack what :func:`read_motion` looks at."""
    for part in parts:
        arrays.load([part], _WITH_ENERGY if arrays.has(part, "energy") else _WITHOUT_ENERGY)


def track_of_boxes(box: Int16, video_id: str) -> Tracks:
    """Turn stored boxes into the track of one object, on which the box of the clip is centred."""
    there = np.flatnonzero(box.any(axis=1))
    if not len(there):
        raise UsageError(
            f"{video_id!r}: the store holds neither energy nor boxes of its frames; expected one of them, for a scheme "
            "that looks at motion"
        )
    return Tracks(there, np.zeros(len(there), np.int64), box[there].astype(np.float32))


def frame_span(rows: VideoRows, clip: Clip) -> tuple[int, int]:
    """Return the lowest and highest frame of a clip; refuse what does not fit the video."""
    if clip.num_frames is not None and clip.num_frames != len(rows):
        raise UsageError(
            f"{rows.id!r} has {len(rows)} frames in the store, but {clip.num_frames} for its reader; expected the same number, "
            "or the i-th frame of one is not that of the other"
        )
    if not len(clip.frames):
        raise UsageError(f"{rows.id!r}: clip has 0 frames; expected 1 or more")
    lowest, highest = min(clip.frames), max(clip.frames)
    if lowest < 0 or highest >= len(rows):
        raise UsageError(
            f"{rows.id!r}: frame index is {lowest if lowest < 0 else highest}; expected 0 to {len(rows) - 1}"
        )
    return lowest, highest


@cache
def boxes_scheme() -> Scheme:
    """Return the scheme that places clips of which only boxes are stored."""
    return masking.build("boxes")


@lru_cache(_TRACKS_KEPT)
def tracks_of(scheme: Scheme, video_id: str, path: str) -> Tracks | None:
    """Read the tracks of a video, once."""
    return scheme.tracks(VideoRef(video_id, path))
