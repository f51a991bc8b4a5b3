"""What placing a clip needs from a store: energy, scenes, objects between its first and its last frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from mgmtool import masking
from mgmtool.errors import UsageError
from mgmtool.masking import Scheme
from mgmtool.store import Columns, Rows
from mgmtool.types import Clip, FrameFlag, Tracks, VideoMotion, VideoRef

_TRACKS_KEPT = 1024


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


def read_motion(columns: Columns, rows: Rows, clip: Clip, scheme: Scheme) -> ClipMotion:
    """Read what a scheme looks at between the first and the last frame of a clip.

    Raises
    ------
    UsageError
        Another number of frames, a frame outside the video, or a scheme the store has nothing for.
    VideoError
        The file of tracks of the video cannot be used.
    """
    _check(rows, clip)
    tracks: Tracks | None = _tracks(scheme, rows.id, rows.path)
    # Tracks count frames from the start of the video.
    first, stop = (0 if tracks is not None else int(min(clip.frames))), int(max(clip.frames)) + 1
    flags = _window(columns, rows, "flags", first, stop)
    scene = np.cumsum((flags & int(FrameFlag.SCENE_CUT)) > 0)
    if not scheme.needs_motion:
        return ClipMotion(scheme, VideoMotion(rows.height, rows.width, scene, tracks=tracks), first)
    if columns.has(rows.part, "energy"):
        energy, scale = (_window(columns, rows, name, first, stop) for name in ("energy", "energy_scale"))
        return ClipMotion(scheme, VideoMotion(rows.height, rows.width, scene, energy, scale), first)
    box = _window(columns, rows, "box", first, stop)
    return ClipMotion(
        masking.build("boxes"), VideoMotion(rows.height, rows.width, scene, tracks=_track_of(box, rows)), first
    )


def _track_of(box: Any, rows: Rows) -> Tracks:
    """Turn stored boxes into the track of one object, on which the box of the clip is centred."""
    there = np.flatnonzero(box.any(axis=1))
    if not len(there):
        raise UsageError(
            f"{rows.id!r}: the store holds neither energy nor boxes of its frames; expected one of them, for a scheme "
            "that looks at motion"
        )
    return Tracks(there, np.zeros(len(there), np.int64), box[there].astype(np.float32))


def _window(columns: Columns, rows: Rows, name: str, first: int, stop: int) -> Any:
    return columns.window(rows.part, name, rows.start + first, rows.start + stop)


def _read_tracks(scheme: Any, video_id: str, path: str) -> Tracks | None:
    """Read the tracks of a video once; a scheme is a frozen record of its options, and so a key."""
    tracks: Tracks | None = scheme.tracks(VideoRef(video_id, path))
    return tracks


def _check(rows: Rows, clip: Clip) -> None:
    """Refuse what does not fit the video, with its values."""
    if clip.num_frames is not None and clip.num_frames != len(rows):
        raise UsageError(
            f"{rows.id!r} has {len(rows)} frames in the store, but {clip.num_frames} for its reader; expected the same number, "
            "or the i-th frame of one is not that of the other"
        )
    outside = next((frame for frame in clip.frames if not 0 <= frame < len(rows)), None)
    if not len(clip.frames) or outside is not None:
        raise UsageError(
            f"{rows.id!r}: frame index is {outside}; expected at least one, each from 0 to {len(rows) - 1}"
        )


_tracks: Any = lru_cache(_TRACKS_KEPT)(_read_tracks)
