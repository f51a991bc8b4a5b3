"""Evidence of motion against the camera, frame by frame: vectors, the border of the frame, earlier and later pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mgmtool.kernels.border import explain_by_border, residual_motion
from mgmtool.kernels.camera import fit_camera
from mgmtool.kernels.energy import lower_to, saturating_energy
from mgmtool.kernels.picture import normal_flow
from mgmtool.types import Float32, Float64, FrameFlag, FrameMotion

_REFERENCE_SIDE = 480
_BORDER_PIXELS = 32
_ALONG_PIXELS, _DEEP_PIXELS = 96, 64
_ALONG_CELLS, _DEEP_CELLS = 3, 2
"""Least size of a block of the border: a block of four cells or fewer says nothing."""
_FRAMES_BACK = 2
"""Frames between a picture and the earlier one it is compared with; fewer at the start of a scene."""


class Item(NamedTuple):
    """A frame on its way, with what is known of it so far."""

    frame: FrameMotion
    flags: FrameFlag


@dataclass(frozen=True, slots=True)
class EvidenceOptions:
    """Numbers of the energy; meanings and defaults in :class:`mgmtool.masking.motion_guided.MotionGuided`."""

    c: float
    border: int | None
    sigma_min: float
    picture_check: bool
    kappa: float
    border_motion: bool


@dataclass(slots=True)
class _Waiting:
    """A frame whose next picture is still to come."""

    item: Item
    valid: bool
    residual: Float32
    theta: Float64
    sigma: float


def cells_of(pixels: float, frame: FrameMotion) -> float:
    """Cells of a length in pixels at 480 lines, scaled with the short side of the frame."""
    return pixels * min(frame.height, frame.width) / (_REFERENCE_SIDE * frame.cell)


def border_cells(asked: int | None, frame: FrameMotion) -> int:
    """Outer cells without energy: as asked, or 32 pixels at 480 lines, at least 1."""
    return max(1, round(cells_of(_BORDER_PIXELS, frame))) if asked is None else asked


class Evidence:
    """Energy on the cells of each frame of a scene; answers one frame late, since it looks at the picture after, too."""

    def __init__(self, options: EvidenceOptions) -> None:
        self._options = options
        self._before: deque[Float32 | None] = deque(maxlen=_FRAMES_BACK)
        self._waiting: _Waiting | None = None

    def push(self, item: Item, valid: bool) -> Iterator[tuple[Item, Float32, bool]]:
        """Take the next frame; yield the one before it, with its energy and whether its motion counts.

        Parameters
        ----------
        item : Item
            The frame, with motion.
        valid : bool
            Whether its vectors count; its energy is zero if not.
        """
        if self._waiting is not None:
            yield self._finished(self._waiting, item.frame.luma)
        self._waiting = self._begun(item, valid)
        self._before.append(item.frame.luma)

    def flush(self) -> Iterator[tuple[Item, Float32, bool]]:
        """End the scene: yield what still waits and forget the pictures."""
        if self._waiting is not None:
            yield self._finished(self._waiting, None)
        self._waiting = None
        self._before.clear()

    def _begun(self, item: Item, valid: bool) -> _Waiting:
        """Fit the camera, and lower the residual by what the border and an earlier picture explain."""
        frame, options = item.frame, self._options
        if frame.displacement is None or frame.coverage is None:
            raise ValueError(f"frame {frame.index} comes without motion; the source must be opened with motion=True")
        residual, theta = np.zeros(frame.coverage.shape, np.float32), np.zeros((2, 3), np.float64)
        if not valid:
            return _Waiting(item, valid, residual, theta, 1.0)
        sigma = fit_camera(frame.displacement, frame.coverage, options.sigma_min, theta, residual)
        if options.border_motion:
            motion = np.empty(frame.displacement.shape, np.float32)
            residual_motion(frame.displacement, frame.coverage, theta, motion)
            along = max(_ALONG_CELLS, round(cells_of(_ALONG_PIXELS, frame)))
            deep = max(_DEEP_CELLS, round(cells_of(_DEEP_PIXELS, frame)))
            explain_by_border(motion, frame.coverage, along, deep, residual)
        waiting = _Waiting(item, valid, residual, theta, sigma)
        if self._before:
            self._check(waiting, self._before[0], len(self._before))
        return waiting

    def _finished(self, waiting: _Waiting, after: Float32 | None) -> tuple[Item, Float32, bool]:
        """Lower the residual by what the picture after explains, the camera going on as it did, and turn it into energy."""
        frame, options = waiting.item.frame, self._options
        energy = np.zeros(waiting.residual.shape, np.float32)
        if waiting.valid:
            self._check(waiting, after, -1)
            border = border_cells(options.border, frame)
            saturating_energy(waiting.residual, waiting.sigma, options.c, border, energy)
        return waiting.item, energy, waiting.valid

    def _check(self, waiting: _Waiting, other: Float32 | None, back: int) -> None:
        """Motion that the change from another picture to this one denies is no motion; that one lies ``back`` frames earlier."""
        frame, options = waiting.item.frame, self._options
        if not options.picture_check or other is None or frame.luma is None or other.shape != frame.luma.shape:
            return
        flow = np.empty(waiting.residual.shape, np.float32)
        normal_flow(other, frame.luma, back * waiting.theta, frame.cell / 2, flow)
        lower_to(flow, options.kappa / abs(back), waiting.residual)
