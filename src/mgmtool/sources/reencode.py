"""Motion from the vectors of a small copy of the video, encoded in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.kernels.field import VECTOR
from mgmtool.kernels.shrink import shrink
from mgmtool.profiling import stage
from mgmtool.sources._cells import CellField, check_cell
from mgmtool.sources._frames import FrameReducer
from mgmtool.sources.base import VIDEO_EXTENSIONS, MotionStream
from mgmtool.types import FrameMotion, VideoFacts, VideoRef
from mgmtool.video.frames import DecodedFrame
from mgmtool.video.reader import OpenVideo, read_video
from mgmtool.video.reencode import Reencoder, has_encoder

_SHORT_SIDES = 32, 2160
_LONGEST_SIDE = 4096  # x264 and H.264 have limits; only pictures of extreme shape come near
MISSING = "PyAV was built without libx264, which re-encoding needs"


@dataclass(frozen=True)
class Reencode:
    """Motion vectors of a small copy that is encoded as H.264 in memory: any codec, for about 2 ms a frame.

    Attributes
    ----------
    short_side : int
        Short side of the copy in pixels, 32 to 2160; smaller pictures are not enlarged.
    cell : int or None
        Side of a cell of the motion field in pixels: 4, 8, 16, 32 or 64. None (``auto``) goes by the short side of the frame:
        16, 32 from 720 pixels on, 4 below 48 pixels (our choice).
    """

    short_side: int = 256
    cell: int | None = None
    extensions: ClassVar[tuple[str, ...]] = VIDEO_EXTENSIONS

    def __post_init__(self) -> None:
        """Check the options, and that there is an encoder: a corpus should not fail video by video because it is missing."""
        least, most = _SHORT_SIDES
        if not least <= self.short_side <= most:
            raise UsageError(f"reencode option short_side is {self.short_side}; expected {least} to {most} pixels")
        check_cell("reencode", self.cell)
        if not has_encoder():
            raise UsageError(f"the source 'reencode': {MISSING}; expected a build such as the wheels on PyPI")

    @contextmanager
    def open(self, video: VideoRef, *, motion: bool, luma: bool, chroma: bool = False) -> Iterator[MotionStream]:
        """See :meth:`mgmtool.sources.Source.open`."""
        with read_video(video.path, video.reading) as opened:
            reading = ReencodedFrames(
                opened, FrameReducer(opened, self.cell, luma, chroma), self.short_side if motion else None
            )
            yield MotionStream(opened.info, reading.frames(), reading.facts)


class ReencodedFrames:
    """The frames of one video with their motion, in one pass."""

    def __init__(self, opened: OpenVideo, reducer: FrameReducer, short_side: int | None) -> None:
        self._opened, self._reducer, self._short_side = opened, reducer, short_side
        self._reencoder: Reencoder | None = None
        self._size = (0, 0)
        self._damaged = False

    def frames(self) -> Iterator[FrameMotion]:
        """Re-encode and reduce every decoded frame at once."""
        for index, frame in enumerate(self._opened.frames):
            field = None if self._short_side is None else self.field(frame, self._short_side)
            yield self._reducer.reduce(index, frame, field)

    def facts(self) -> VideoFacts:
        """Return what is known after the last frame."""
        return self._reducer.facts("reencode")

    def field(self, frame: DecodedFrame, short_side: int) -> CellField:
        """Motion since the picture before; none without one, after a change of size, or where either picture is damaged."""
        size, encoder = (frame.height, frame.width), self._reencoder
        if encoder is None or size != self._size:
            encoder = self._reencoder = Reencoder(*copy_size(*size, short_side))
            self._size = size
        with stage("encode"):
            plane, small = frame.luma(), np.empty((encoder.height, encoder.width), np.uint8)
            shrink(plane.samples, plane.width, plane.unit, small)
            vectors = encoder.vectors(small, VECTOR)
        damaged, self._damaged = self._damaged or frame.corrupt, frame.corrupt
        return self._reducer.plan(frame).scaled_field(None if damaged else vectors, encoder.height, encoder.width)


def copy_size(height: int, width: int, short_side: int) -> tuple[int, int]:
    """Size (height, width) of the copy of a picture, in pixels: even, and never larger but where a side is 1."""
    shorter, longer = sorted((height, width))
    factor = min(Fraction(1), Fraction(short_side, shorter), Fraction(_LONGEST_SIDE, longer))
    rows, cols = (max(2 * int(side * factor / 2), 2) for side in (height, width))
    return rows, cols


PLUGIN = Reencode
