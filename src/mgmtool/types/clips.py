"""Training clips: which frames and which crop a sample uses, and what is hidden in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mgmtool.types.arrays import Bool, Float32, Int16, Int64, UInt8
from mgmtool.types.masks import MaskVolume, TokenLayout
from mgmtool.types.tracks import Tracks
from mgmtool.types.video import FrameFlag


@dataclass(frozen=True, slots=True)
class Crop:
    """Rectangle cut out of the displayed frame, in its pixels: rows top .. top + height - 1, likewise columns."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """What a training sample takes from a video.

    Attributes
    ----------
    frames : tuple of int
        Frame indices, in the order of the sample; repeats are allowed. Their number is a multiple of ``tubelet``.
    layout : TokenLayout
        Token grid over the crop, exact count and box.
    crop : Crop or None
        Part of the displayed frame; None for all of it.
    hflip : bool
        The crop is mirrored left to right, last.
    tubelet : int
        Frames of a tubelet.
    seed : int
        64 bits that belong to this sample.
    invert : bool
        Hide all but what the scheme would hide: it is asked for the tokens that ``layout`` leaves visible, in a box of their
        share, and all others are hidden. Counts stay as they are.
    keep_visible : float
        Share of the hidden tokens of each tubelet, 0..1, rounded, that is chosen at random to stay visible; as many of the
        visible ones, chosen at random, are hidden instead, or all of them where there are fewer (our choice).
    """

    frames: tuple[int, ...]
    layout: TokenLayout
    crop: Crop | None = None
    hflip: bool = False
    tubelet: int = 2
    seed: int = 0
    invert: bool = False
    keep_visible: float = 0.0


@dataclass(frozen=True, slots=True)
class TokenMask:
    """What is hidden in one clip, in coordinates of its crop.

    Attributes
    ----------
    mask : bool (tubelets, rows, cols)
        True = masked; the same count in every clip, and in every tubelet but for schemes that are exact over the clip.
    box : int16 (tubelets, 4)
        Box that the scheme placed, ``y0 x0 y1 x1`` in tokens, half-open; all zero where it places none. Of an inverted clip,
        it is the box that is visible.
    fallback : bool (tubelets,)
        The box is the centre box, because nothing moves in the clip.
    """

    mask: Bool
    box: Int16
    fallback: Bool


@dataclass(frozen=True, slots=True)
class VideoMotion:
    """What placing masks in the clips of a video takes.

    Attributes
    ----------
    height, width : int
        Displayed size, pixels.
    scene : int64 (frames,)
        Number of the scene of each frame, counted from 0.
    energy : uint8 (frames, energy_rows, energy_cols) or None
        Motion energy over the displayed frame, divided by ``energy_scale``; None for a scheme that needs no motion.
    energy_scale : float32 (frames,) or None
        energy = uint8 * scale.
    tracks : Tracks or None
        Known objects, for a scheme that looks at them.
    """

    height: int
    width: int
    scene: Int64
    energy: UInt8 | None = None
    energy_scale: Float32 | None = None
    tracks: Tracks | None = None

    @classmethod
    def of(cls, volume: MaskVolume, height: int, width: int, tracks: Tracks | None = None) -> Self:
        """Take from a mask volume what clips need."""
        cuts = (volume.flags & int(FrameFlag.SCENE_CUT)) > 0
        return cls(height, width, np.cumsum(cuts), volume.energy, volume.energy_scale, tracks)

    def __len__(self) -> int:
        return len(self.scene)
