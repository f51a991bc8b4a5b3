"""Motion from the vectors inside the compressed stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from mgmtool.errors import NoMotionVectorsFailure
from mgmtool.kernels.field import VECTOR
from mgmtool.sources._cells import LEAST_SIDE_OF_16, check_cell
from mgmtool.sources._frames import FrameReducer
from mgmtool.sources.base import VIDEO_EXTENSIONS, MotionStream
from mgmtool.types import FrameMotion, VideoFacts, VideoRef
from mgmtool.video.reader import OpenVideo, read_video
from mgmtool.video.small import SHRINK

_INTER_FRAMES_TO_TRY = 32
# FFmpeg exports (0, 0) for blocks in direct mode, which is nearly every block of an MPEG-4 part 2 B-frame: absent, not zero.
_ZERO_B_FRAMES = {"mpeg4"}


@dataclass(frozen=True)
class Codec:
    """Motion vectors exported by the decoder: H.264, MPEG-1/2, MPEG-4 part 2, H.263 and kin.

    Attributes
    ----------
    cell : int or None
        Side of a cell of the motion field in pixels: 4, 8, 16, 32 or 64. None (``auto``) goes by the short side of the frame:
        16, 32 from 720 pixels on, 4 below 48 pixels (our choice).
    """

    cell: int | None = None
    extensions: ClassVar[tuple[str, ...]] = VIDEO_EXTENSIONS

    def __post_init__(self) -> None:
        """Check the options."""
        check_cell("codec", self.cell)

    @contextmanager
    def open(self, video: VideoRef, *, motion: bool, luma: bool, chroma: bool = False) -> Iterator[MotionStream]:
        """See :meth:`mgmtool.sources.Source.open`."""
        # One sample of a frame at 1/8 resolution must not be larger than a quarter cell.
        small_from = LEAST_SIDE_OF_16 if self.cell is None else 0 if self.cell >= 2 << SHRINK else None
        with read_video(video.path, video.reading, small_from=small_from) as opened:
            reading = CodecFrames(opened, FrameReducer(opened, self.cell, luma, chroma), motion)
            yield MotionStream(opened.info, reading.frames(), reading.facts)


class CodecFrames:
    """The frames of one video with their motion, in one pass."""

    def __init__(self, opened: OpenVideo, reducer: FrameReducer, motion: bool) -> None:
        self._opened, self._reducer, self._motion = opened, reducer, motion
        self._b_frames_read_zero = opened.info.codec in _ZERO_B_FRAMES

    def frames(self) -> Iterator[FrameMotion]:
        """Reduce every decoded frame at once, and give up where no vectors are to be expected."""
        for index, frame in enumerate(self._opened.frames):
            field = None
            if self._motion:
                known = not (frame.bidirectional and self._b_frames_read_zero)
                field = self._reducer.plan(frame).field(frame.vectors(VECTOR) if known else None)
            yield self._reducer.reduce(index, frame, field)
            if self._motion and not self._reducer.vector_frames:
                self._give_up(self._opened.counts.inter_frames >= _INTER_FRAMES_TO_TRY)
        if self._motion and not self._reducer.vector_frames:
            self._give_up(self._opened.counts.frames > 1)

    def facts(self) -> VideoFacts:
        """Return what is known after the last frame."""
        return self._reducer.facts("codec")

    def _give_up(self, enough: bool) -> None:
        if enough:
            counts, codec = self._opened.counts, self._opened.info.codec
            raise NoMotionVectorsFailure(
                f"{codec}: no motion vectors in {counts.frames} frames, {counts.inter_frames} of them predicted from others; "
                "FFmpeg exports vectors for H.264, MPEG-1/2, MPEG-4 part 2, H.263 and kin"
            )


PLUGIN = Codec
