"""What a loader asks of a mask store, and what it gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mgmtool.types.arrays import Bool, Float32, Float64, Int16, UInt8


@dataclass(frozen=True, slots=True)
class Clip:
    """One training sample: which frames of which video, and which part of the picture.

    Attributes
    ----------
    id : str
        Id of the video; or a file name, or a path, that belongs to exactly one.
    frames : sequence of int
        Frame indices, in the order of the sample; repeats are allowed.
    crop : (int, int, int, int) or None
        ``(top, left, height, width)`` in pixels of the displayed frame; None for all of it.
    hflip : bool
        The crop is mirrored left to right, last.
    seed : int
        With id, frames and crop it decides what is random; give the epoch to have another mask each time.
    num_frames : int or None
        How many frames the reader of the sample counts; an error if the store counts others.
    """

    id: str
    frames: Sequence[int]
    crop: tuple[int, int, int, int] | None = None
    hflip: bool = False
    seed: int = 0
    num_frames: int | None = None


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """All that a store holds of one video.

    Attributes
    ----------
    id, path : str
        As in the index.
    num_frames : int
        Frames, in presentation order.
    fps : float or None
        Average frame rate, None where the container does not say.
    pts_seconds : float64 (frames,)
        Presentation times in seconds, as the container has them.
    height, width : int
        Displayed size in pixels, after rotation.
    rotation : int
        Clockwise turn from coded to displayed picture, degrees.
    mask : bool (frames, rows, cols)
        Whole-frame masks, True = masked.
    box : int16 (frames, 4)
        ``y0 x0 y1 x1`` in displayed pixels, half-open; all zero where the scheme hides no box.
    energy : float32 (frames, energy_rows, energy_cols) or None
        Motion energy over the displayed frame, scale applied; None if none is stored.
    flags : uint8 (frames,)
        Bits of :class:`FrameFlag`.
    index_risk : tuple of str
        Why a reader may number the frames of this file differently, see docs/conventions.md.
    """

    id: str
    path: str
    num_frames: int
    fps: float | None
    pts_seconds: Float64
    height: int
    width: int
    rotation: int
    mask: Bool
    box: Int16
    energy: Float32 | None
    flags: UInt8
    index_risk: tuple[str, ...]
