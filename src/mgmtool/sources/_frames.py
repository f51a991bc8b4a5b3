"""From decoded frames to frames with motion: what every source that decodes pictures does alike."""

from __future__ import annotations

from mgmtool.sources._cells import CellField, CellPlan, automatic_cell
from mgmtool.types import Float32, FrameMotion, VideoFacts
from mgmtool.video.frames import DecodedFrame
from mgmtool.video.reader import OpenVideo

_LEAST_COVERAGE = 0.02
ASKED_FOR = "asked for"
"""Why a source was used that nobody chose on the way."""


class FrameReducer:
    """Reduces the frames of one video, one after the other, to the means of their cells.

    Parameters
    ----------
    opened : OpenVideo
        The video; its counts must be up to the frame that is reduced.
    cell : int or None
        Side of a cell in pixels, None for :func:`~mgmtool.sources._cells.automatic_cell`.
    luma, chroma : bool
        Whether mean luma and mean chroma are asked for.
    """

    def __init__(self, opened: OpenVideo, cell: int | None, luma: bool, chroma: bool) -> None:
        self._opened = opened
        self._cell = cell or automatic_cell(opened.info.height, opened.info.width)
        self._luma, self._chroma = luma, chroma
        self._plan: CellPlan | None = None
        self.vector_frames = 0
        """Frames with vectors so far."""

    def plan(self, frame: DecodedFrame) -> CellPlan:
        """Return the cells of a frame: those of the frame before, unless its size or that of its decoded copy changed."""
        plan = self._plan
        if plan is None or (plan.height, plan.width, plan.shrunk) != (frame.height, frame.width, frame.shrunk):
            plan = self._plan = CellPlan(
                frame.height, frame.width, self._cell, self._opened.info.orientation, frame.shrunk
            )
        return plan

    def reduce(self, index: int, frame: DecodedFrame, field: CellField | None) -> FrameMotion:
        """Put together what is known of a frame, so that no picture outlives its turn.

        Parameters
        ----------
        index : int
            Its number in presentation order.
        frame : DecodedFrame
            What the decoder gave.
        field : CellField or None
            Its motion, by the plan of the frame; None where motion was not asked for.
        """
        plan = self.plan(frame)
        has_vectors = field is not None and field.share > _LEAST_COVERAGE and not frame.corrupt
        self.vector_frames += has_vectors
        height, width = plan.displayed
        luma: Float32 | None = None
        chroma: Float32 | None = None
        if self._luma or self._chroma:
            planes = frame.planes() if self._chroma else (frame.luma(), None)
            light, colour = plan.means(*planes, light=self._luma, colour=self._chroma)
            luma, chroma = light if self._luma else None, colour if self._chroma else None
        return FrameMotion(
            index, frame.pts, frame.key_frame, frame.corrupt, has_vectors,
            None if field is None else field.displacement, None if field is None else field.coverage,
            luma, self._cell, height, width, chroma,
        )  # fmt: skip

    def facts(self, source: str) -> VideoFacts:
        """Return what is known after the last frame, for a source of that name that was asked for."""
        counts = self._opened.counts
        return VideoFacts(
            info=self._opened.info,
            source=source,
            num_frames=counts.frames,
            vector_frames=self.vector_frames,
            corrupt_frames=counts.corrupt_frames,
            lost_packets=counts.lost_packets,
            index_risk=self._opened.index_risk(),
            source_reason=ASKED_FOR,
        )
