"""Evidence of motion against the camera, frame by frame: vectors, the border of the frame, earlier and later pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mgmtool.kernels.runs import FRAMES_BACK, energy_of_run
from mgmtool.masking._scene import KnownFrame, SceneFrames, no_frames
from mgmtool.types import Bool, Float32, FrameMotion

_REFERENCE_SIDE = 480
_BORDER_PIXELS = 32
_ALONG_PIXELS, _DEEP_PIXELS = 96, 64
_ALONG_CELLS, _DEEP_CELLS = 3, 2
"""Least size of a block of the border: a block of four cells or fewer says nothing."""


@dataclass(frozen=True, slots=True)
class EvidenceOptions:
    """Numbers of the energy; meanings and defaults in :class:`mgmtool.masking.motion_guided.MotionGuided`."""

    c: float
    border: int | None
    sigma_min: float
    picture_check: bool
    kappa: float
    border_motion: bool


def cells_of(pixels: float, frame: FrameMotion) -> float:
    """Cells of a length in pixels at 480 lines, scaled with the short side of the frame."""
    return pixels * min(frame.height, frame.width) / (_REFERENCE_SIDE * frame.cell)


def border_cells(asked: int | None, frame: FrameMotion) -> int:
    """Outer cells without energy: as asked, or 32 pixels at 480 lines, at least 1."""
    return max(1, round(cells_of(_BORDER_PIXELS, frame))) if asked is None else asked


class Evidence:
    """Energy on the cells of each frame of a scene; answers one frame late, since it looks at the picture after, too.

    All frames of a scene have pictures of one size, or none.
    """

    def __init__(self, options: EvidenceOptions) -> None:
        self._options = options
        self._pictures: list[Float32] = []
        """Pictures of the last frames that were answered."""
        self._waiting: list[tuple[KnownFrame, bool]] = []

    def push(self, items: Sequence[KnownFrame], valid: Sequence[bool]) -> SceneFrames[KnownFrame]:
        """Take the next frames; return those whose next picture is there, with their energy.

        Parameters
        ----------
        items : sequence of KnownFrame
            The frames, with motion.
        valid : sequence of bool
            Whether the vectors of each count; its energy is zero if not.
        """
        self._waiting += zip(items, valid, strict=True)
        return self._taken(len(self._waiting) - 1)

    def flush(self) -> SceneFrames[KnownFrame]:
        """End the scene: return what still waits and forget the pictures."""
        rest = self._taken(len(self._waiting))
        self._pictures.clear()
        return rest

    def _taken(self, count: int) -> SceneFrames[KnownFrame]:
        if count <= 0:
            return no_frames()
        pictures = self._pictures + [item.frame.luma for item, _ in self._waiting if item.frame.luma is not None]
        items, valid = map(list, zip(*self._waiting[:count], strict=True))
        energy = self._energy([item.frame for item in items], np.array(valid, np.bool_), pictures)
        if pictures:
            answered = len(self._pictures) + count
            self._pictures = pictures[max(answered - FRAMES_BACK, 0) : answered]
        del self._waiting[:count]
        return SceneFrames(items, np.array(valid, np.bool_), energy)

    def _energy(self, frames: list[FrameMotion], valid: Bool, pictures: list[Float32]) -> Float32:
        options, like = self._options, frames[0]
        displacement = np.stack([frame.displacement for frame in frames])  # type: ignore[misc]
        coverage = np.stack([frame.coverage for frame in frames])  # type: ignore[misc]
        checked = np.stack(pictures) if options.picture_check and pictures else np.zeros((0, 1, 1), np.float32)
        along = max(_ALONG_CELLS, round(cells_of(_ALONG_PIXELS, like))) if options.border_motion else 0
        deep = max(_DEEP_CELLS, round(cells_of(_DEEP_PIXELS, like)))
        energy = np.empty(coverage.shape, np.float32)
        energy_of_run(
            displacement, coverage, valid, checked, len(self._pictures), options.sigma_min, along, deep, like.cell / 2,
            options.kappa, options.c, border_cells(options.border, like), energy,
        )  # fmt: skip
        return energy
