"""The MGM paper's wording and nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mgmtool.kernels.energy import quantise, resample_max
from mgmtool.masking._cuts import CutDetector
from mgmtool.masking.base import Colourless, known_flags, place_boxes, places, random_corner
from mgmtool.types import FrameEnergy, FrameFlag, FrameMotion, PatchGrid, Placement, PlacementRequest


@dataclass(frozen=True)
class MotionLiteral(Colourless):
    """A box centred on the longest raw motion vector, random in the first frame, held where there are no vectors.

    The wording of MGM (Fan et al., ICCV 2023): no camera motion, no pooling, no path. Energy is the largest vector length of
    the cells under each rectangle of the energy grid. Ties go to the smallest index.
    """

    needs_motion: ClassVar[bool] = True

    def energies(self, frames: Iterable[FrameMotion], grid: PatchGrid) -> Iterator[FrameEnergy]:
        """See :meth:`mgmtool.masking.Scheme.energies`."""
        cuts = CutDetector()
        for frame in frames:
            flags = known_flags(frame) | (FrameFlag(0) if frame.has_vectors else FrameFlag.PROPAGATED)
            if cuts.is_cut(frame.luma):
                flags |= FrameFlag.SCENE_CUT
            yield _length_energy(frame, flags, grid)

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`; scene cuts change nothing, the paper knows none."""
        ys, xs = places(request)
        here = request.previous
        corner = np.empty((len(request.energy), 2), np.int16)
        for t, energy in enumerate(request.energy):
            if here is None:
                here = random_corner(request)
            elif energy.max() > 0:
                row, col = np.unravel_index(int(energy.argmax()), energy.shape)
                here = _centred(int(row), request.layout.box_rows, ys), _centred(int(col), request.layout.box_cols, xs)
            corner[t] = here
        return place_boxes(request, corner)


def _centred(token: int, side: int, count: int) -> int:
    """First token of a box centred on a token, clamped inside the frame."""
    return min(max(token - side // 2, 0), count - 1)


def _length_energy(frame: FrameMotion, flags: FrameFlag, grid: PatchGrid) -> FrameEnergy:
    levels = np.zeros((grid.rows, grid.cols), np.uint8)
    if not frame.has_vectors or frame.displacement is None:
        return FrameEnergy(frame.pts, flags, levels, 0.0)
    length = np.sqrt(np.square(frame.displacement).sum(axis=-1))
    longest = np.empty(levels.shape, np.float32)
    resample_max(length, frame.cell, frame.height, frame.width, longest)
    return FrameEnergy(frame.pts, flags, levels, quantise(longest, levels))


PLUGIN = MotionLiteral
