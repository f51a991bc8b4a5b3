"""Motion from the vectors inside the compressed stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import NoMotionVectorsFailure, UsageError
from mgmtool.kernels.field import VECTOR, motion_field
from mgmtool.kernels.luma import mean_luma
from mgmtool.sources._source import VIDEO_EXTENSIONS, MotionStream
from mgmtool.types import Float32, FrameMotion, Orientation, VideoFacts, VideoRef
from mgmtool.video.reader import DecodedFrame, OpenVideo, read_video

_LEAST_COVERAGE = 0.02
_INTER_FRAMES_TO_TRY = 32
_CELLS = (4, 8, 16, 32, 64)
_LARGE_PICTURE = 720
# FFmpeg exports (0, 0) for blocks in direct mode, which is nearly every block of an MPEG-4 part 2 B-frame: absent, not zero.
_ZERO_B_FRAMES = {"mpeg4"}


@dataclass(frozen=True)
class Codec:
    """Motion vectors exported by the decoder: H.264, MPEG-1/2, MPEG-4 part 2, H.263 and kin.

    Attributes
    ----------
    cell : int or None
        Side of a cell of the motion field in pixels: 4, 8, 16, 32 or 64. None (``auto``) takes 16, and 32 where the short side
        is above 720 pixels (our choice).
    """

    cell: int | None = None
    extensions: ClassVar[tuple[str, ...]] = VIDEO_EXTENSIONS

    def __post_init__(self) -> None:
        """Check the options."""
        if self.cell is not None and self.cell not in _CELLS:
            raise UsageError(f"codec option cell is {self.cell}; expected auto or one of {', '.join(map(str, _CELLS))}")

    @contextmanager
    def open(self, video: VideoRef, *, motion: bool, luma: bool) -> Iterator[MotionStream]:
        """See :meth:`mgmtool.sources.Source.open`."""
        with read_video(video.path) as opened:
            run = _Run(opened, self.cell, motion, luma)
            yield MotionStream(opened.info, run.frames(), run.facts)


class _Run:
    """One pass over one video."""

    def __init__(self, opened: OpenVideo, cell: int | None, motion: bool, luma: bool) -> None:
        self._opened = opened
        short_side = min(opened.info.height, opened.info.width)
        self._cell = cell or (32 if short_side > _LARGE_PICTURE else 16)
        self._motion, self._luma = motion, luma
        self._b_frames_read_zero = opened.info.codec in _ZERO_B_FRAMES
        self._vector_frames = 0
        self._plan: _CellPlan | None = None

    def frames(self) -> Iterator[FrameMotion]:
        """Reduce every decoded frame at once, so that no picture outlives its turn."""
        for index, frame in enumerate(self._opened.frames):
            yield self._reduce(index, frame)
            if self._motion and not self._vector_frames:
                self._give_up(self._opened.tally.inter_frames >= _INTER_FRAMES_TO_TRY)
        if self._motion and not self._vector_frames:
            self._give_up(self._opened.tally.frames > 1)

    def facts(self) -> VideoFacts:
        """Return what is known after the last frame."""
        tally = self._opened.tally
        return VideoFacts(
            info=self._opened.info,
            source="codec",
            num_frames=tally.frames,
            vector_frames=self._vector_frames,
            corrupt_frames=tally.corrupt_frames,
            lost_packets=tally.lost_packets,
            index_risk=self._opened.index_risk(),
        )

    def _reduce(self, index: int, frame: DecodedFrame) -> FrameMotion:
        plan = self._plan
        if plan is None or plan.height != frame.height or plan.width != frame.width:
            orientation = self._opened.info.orientation
            upright = orientation == Orientation()
            plan = self._plan = _CellPlan(frame.height, frame.width, self._cell, orientation, upright)
        displacement = coverage = None
        has_vectors = False
        if self._motion:
            known = not (frame.bidirectional and self._b_frames_read_zero)
            displacement, coverage, share = plan.field(frame.vectors(VECTOR) if known else None)
            has_vectors = share > _LEAST_COVERAGE and not frame.corrupt
            self._vector_frames += has_vectors
        luma = plan.luma(frame) if self._luma else None
        height, width = plan.orientation.shape(frame.height, frame.width)
        return FrameMotion(
            index=index,
            pts=frame.pts,
            key_frame=frame.key_frame,
            corrupt=frame.corrupt,
            has_vectors=has_vectors,
            displacement=displacement,
            coverage=coverage,
            luma=luma,
            cell=self._cell,
            height=height,
            width=width,
        )

    def _give_up(self, enough: bool) -> None:
        if enough:
            tally, codec = self._opened.tally, self._opened.info.codec
            raise NoMotionVectorsFailure(
                f"{codec}: no motion vectors in {tally.frames} frames, {tally.inter_frames} of them predicted from others; "
                "FFmpeg exports vectors for H.264, MPEG-1/2, MPEG-4 part 2, H.263 and kin"
            )


@dataclass(frozen=True, slots=True)
class _CellPlan:
    """Cells of one coded picture, aligned to the top left of the displayed one."""

    height: int
    width: int
    cell: int
    orientation: Orientation
    upright: bool

    def field(self, vectors: NDArray[np.void] | None) -> tuple[Float32, Float32, float]:
        """Displacement, coverage, and mean coverage of a frame, in displayed orientation."""
        rows, cols = self.shape
        displacement = np.zeros((rows, cols, 2), np.float32)
        coverage = np.zeros((rows, cols), np.float32)
        if vectors is None or not len(vectors):
            return self._turn_vectors(displacement), self._turn(coverage), 0.0
        offset_y, offset_x = self.offsets
        share = motion_field(vectors, self.height, self.width, offset_y, offset_x, self.shift, displacement, coverage)
        return self._turn_vectors(displacement), self._turn(coverage), share

    def luma(self, frame: DecodedFrame) -> Float32:
        """Mean luma of each quarter cell, in displayed orientation."""
        rows, cols = self.shape
        luma = np.empty((2 * rows, 2 * cols), np.float32)
        plane = frame.luma()
        offset_y, offset_x = self.offsets
        mean_luma(plane.samples, plane.width, offset_y, offset_x, self.shift - 1, plane.unit, luma)
        return self._turn(luma)

    @property
    def shift(self) -> int:
        """log2 of the cell side."""
        return self.cell.bit_length() - 1

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells in coded orientation."""
        return -(-self.height // self.cell), -(-self.width // self.cell)

    @property
    def offsets(self) -> tuple[int, int]:
        """Pixels missing from the first coded cell, where a flip makes the last displayed cell the first coded one."""
        flip_y, flip_x = self.orientation.flip_y, self.orientation.flip_x
        if self.orientation.transpose:
            flip_y, flip_x = flip_x, flip_y
        return -self.height % self.cell * flip_y, -self.width % self.cell * flip_x

    def _turn(self, values: Float32) -> Float32:
        return values if self.upright else np.ascontiguousarray(self.orientation.picture(values))

    def _turn_vectors(self, field: Float32) -> Float32:
        return field if self.upright else self.orientation.vectors(field)


PLUGIN = Codec
