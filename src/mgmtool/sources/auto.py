"""Motion from the codec where it has any, else from a copy that is encoded again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import ClassVar

from mgmtool.errors import NoMotionVectorsFailure
from mgmtool.sources._cells import check_cell
from mgmtool.sources.base import VIDEO_EXTENSIONS, MotionStream
from mgmtool.sources.codec import Codec
from mgmtool.sources.reencode import MISSING, Reencode
from mgmtool.types import FrameMotion, VideoFacts, VideoInfo, VideoRef
from mgmtool.video.reencode import has_encoder

_FRAMES_TO_TRY = 64
"""Frames without vectors that are held back at most; ``codec`` itself gives up after 32 that are predicted from others."""


@dataclass(frozen=True)
class Auto:
    """The vectors of the codec where it exports them (codec), else those of a copy encoded again (reencode).

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
        check_cell("auto", self.cell)

    @contextmanager
    def open(self, video: VideoRef, *, motion: bool, luma: bool, chroma: bool = False) -> Iterator[MotionStream]:
        """See :meth:`mgmtool.sources.Source.open`."""
        with ExitStack() as stack:
            reading = AutoFrames(stack, video, self.cell, motion, luma, chroma)
            yield MotionStream(reading.info, reading.frames(), reading.facts)


class AutoFrames:
    """The frames of one video with their motion, in one pass, or in two where the first finds no vectors."""

    def __init__(
        self, stack: ExitStack, video: VideoRef, cell: int | None, motion: bool, luma: bool, chroma: bool
    ) -> None:
        self._stack, self._video, self._cell, self._motion = stack, video, cell, motion
        self._asked = {"motion": motion, "luma": luma, "chroma": chroma}
        self._stream = stack.enter_context(Codec(cell).open(video, **self._asked))
        self._reason = "no vectors looked for" if motion else "no motion asked for"

    @property
    def info(self) -> VideoInfo:
        """What the container says; the same whichever source is used."""
        return self._stream.info

    def frames(self) -> Iterator[FrameMotion]:
        """Hold frames back until vectors are seen in one, and hand out those of the codec from then on, else begin anew."""
        held: list[FrameMotion] = []
        if self._motion and not self._vectors_seen(held):
            self._encode_again(held)
            held = []
        yield from held
        yield from self._stream.frames

    def facts(self) -> VideoFacts:
        """Return what is known after the last frame; the source is the one that was used."""
        return dataclasses.replace(self._stream.facts(), source_reason=self._reason)

    def _vectors_seen(self, held: list[FrameMotion]) -> bool:
        """Collect frames up to the first with vectors; False if too many have none. A video of one frame needs none."""
        try:
            for frame in self._stream.frames:
                held.append(frame)
                if frame.has_vectors:
                    self._reason = f"vectors in frame {frame.index}"
                    return True
                if len(held) == _FRAMES_TO_TRY:
                    return False
        except NoMotionVectorsFailure:
            return False
        self._reason = "one frame has no motion"
        return True

    def _encode_again(self, held: list[FrameMotion]) -> None:
        key_frames = sum(frame.key_frame for frame in held)
        self._reason = f"{self.info.codec}: no motion vectors in {len(held)} frames, {key_frames} of them key frames"
        if not has_encoder():
            raise NoMotionVectorsFailure(f"{self._reason}; {MISSING}")
        self._stack.close()
        self._stream = self._stack.enter_context(Reencode(cell=self._cell).open(self._video, **self._asked))


PLUGIN = Auto
