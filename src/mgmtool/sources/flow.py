"""Motion from dense optical flow between decoded pictures.

The flow goes from a picture to the one before, so that it lies on the pixels of the picture it belongs to; content went the
other way.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.sources._cells import CellField, check_cell
from mgmtool.sources._frames import FrameReducer
from mgmtool.sources.base import VIDEO_EXTENSIONS, MotionStream
from mgmtool.types import Float32, FrameMotion, UInt8, VideoFacts, VideoRef
from mgmtool.video.frames import DecodedFrame, Plane
from mgmtool.video.reader import OpenVideo, read_video

METHODS = ("dis", "farneback")
PRESETS = ("ultrafast", "fast", "medium")
_FARNEBACK = (0.5, 5, 15, 3, 5, 1.1, 0)
"""Scale and levels of the pyramid, window, iterations, neighbourhood and sigma of the polynomials, flags (our choice)."""
_LEAST_SIDE = 16  # DIS refuses less than 12
_MISSING = "the source 'flow' needs OpenCV, which {}; pip install 'mgmtool[flow]'"

Estimate = Callable[[UInt8, UInt8], Float32]
"""Flow from the first picture to the second: float32 (height, width, 2) in (x, y) order, C-contiguous."""


@dataclass(frozen=True)
class Flow:
    """Dense optical flow between pictures: any codec, at several times the cost of vectors; needs ``mgmtool[flow]``.

    Attributes
    ----------
    method : str
        ``dis`` (dense inverse search) or ``farneback``.
    preset : str
        Of ``dis``: ``ultrafast``, ``fast`` or ``medium``, from coarse to fine.
    cell : int or None
        Side of a cell of the motion field in pixels: 4, 8, 16, 32 or 64. None (``auto``) goes by the short side of the frame:
        16, 32 from 720 pixels on, 4 below 48 pixels (our choice).
    """

    method: str = "dis"
    preset: str = "fast"
    cell: int | None = None
    extensions: ClassVar[tuple[str, ...]] = VIDEO_EXTENSIONS

    def __post_init__(self) -> None:
        """Check the options, and that OpenCV is there: a corpus should not fail video by video because it is missing."""
        _check_word("method", self.method, METHODS)
        _check_word("preset", self.preset, PRESETS)
        check_cell("flow", self.cell)
        if importlib.util.find_spec("cv2") is None:
            raise UsageError(_MISSING.format("is not installed"))

    @contextmanager
    def open(self, video: VideoRef, *, motion: bool, luma: bool, chroma: bool = False) -> Iterator[MotionStream]:
        """See :meth:`mgmtool.sources.Source.open`."""
        estimate = estimator(self.method, self.preset) if motion else None
        with read_video(video.path, video.reading) as opened:
            reading = FlowFrames(opened, FrameReducer(opened, self.cell, luma, chroma), estimate)
            yield MotionStream(opened.info, reading.frames(), reading.facts)


def _check_word(option: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise UsageError(f"flow option {option} is {value!r}; expected one of {', '.join(known)}")


class FlowFrames:
    """The frames of one video with their motion, in one pass."""

    def __init__(self, opened: OpenVideo, reducer: FrameReducer, estimate: Estimate | None) -> None:
        self._opened, self._reducer, self._estimate = opened, reducer, estimate
        self._before: UInt8 | None = None

    def frames(self) -> Iterator[FrameMotion]:
        """Reduce every decoded frame at once; of the pictures, only the one before is kept."""
        for index, frame in enumerate(self._opened.frames):
            field = None if self._estimate is None else self.field(frame, self._estimate)
            yield self._reducer.reduce(index, frame, field)

    def facts(self) -> VideoFacts:
        """Return what is known after the last frame."""
        return self._reducer.facts("flow")

    def field(self, frame: DecodedFrame, estimate: Estimate) -> CellField:
        """Motion since the picture before; none without one, after a change of size, or where either picture is damaged."""
        before = self._before
        now = self._before = None if frame.corrupt else grey(frame.luma())
        plan = self._reducer.plan(frame)
        if now is None or before is None or before.shape != now.shape:
            return plan.dense(None)
        return plan.dense(estimate(now, before)[: frame.height, : frame.width])


def grey(plane: Plane) -> UInt8:
    """Copy the picture of a plane as 8 bit, without its padding; tiny ones are continued to a size that has flow at all."""
    picture = plane.samples[:, : plane.width]
    if picture.dtype != np.uint8:
        picture = (picture >> round(-np.log2(plane.unit))).astype(np.uint8)
    missing = [(0, max(_LEAST_SIDE - side, 0)) for side in picture.shape]
    return np.pad(picture, missing, mode="edge") if np.any(missing) else np.array(picture, order="C")


def estimator(method: str, preset: str) -> Estimate:
    """Return what estimates flow by a method of :class:`Flow`.

    Raises
    ------
    UsageError
        OpenCV cannot be imported.
    """
    cv2 = import_opencv()
    if method == "dis":
        dis = cv2.DISOpticalFlow_create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{preset.upper()}"))
        return _on_one_thread(cv2, lambda now, before: dis.calc(now, before, None))
    return _on_one_thread(cv2, lambda now, before: cv2.calcOpticalFlowFarneback(now, before, None, *_FARNEBACK))


def _on_one_thread(cv2: Any, estimate: Callable[[UInt8, UInt8], Any]) -> Estimate:
    """Estimate on one thread, since there is one process per core; the setting is the whole process's, so it is put back."""

    def estimate_alone(now: UInt8, before: UInt8) -> Float32:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            return np.ascontiguousarray(estimate(now, before), np.float32)
        finally:
            cv2.setNumThreads(threads)

    return estimate_alone


def import_opencv() -> Any:
    """Import OpenCV, which is heavy and not everywhere, without OpenCL, whose rounding depends on the device."""
    try:
        import cv2
    except ImportError as error:
        raise UsageError(_MISSING.format(f"cannot be imported ({error})")) from None
    cv2.ocl.setUseOpenCL(False)
    return cv2


PLUGIN = Flow
