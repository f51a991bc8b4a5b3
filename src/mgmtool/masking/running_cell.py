"""Cells of 2 x 2 tokens whose pattern runs on from tubelet to tubelet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgmtool.masking._draws import below, derive_seed, draws
from mgmtool.masking._subsets import boxless, first_tokens
from mgmtool.masking.base import Motionless
from mgmtool.types import Placement, PlacementRequest

_SIDE = 2
_PLACES = _SIDE * _SIDE


@dataclass(frozen=True)
class RunningCell(Motionless):
    """Cells of 2 x 2 tokens with one pattern that moves on by a place in every tubelet, from a random phase.

    The running cell of MAR (Qing et al., 2022), the decoder mask of VideoMAE V2 (Wang et al., 2023). The four places of a cell,
    row by row, form a queue; of place k in tubelet t, with the phase s, the rank is ``(k + t + s) mod 4``, and low ranks are
    hidden. At a ratio of a half, every token is hidden in two tubelets and visible in two. Of a rank that the exact count hides
    only in part (other ratios than quarters, odd grids), random tokens are hidden, anew in every tubelet (our choice).
    """

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        frames, rows, cols = request.energy.shape
        place = _SIDE * (np.arange(rows)[:, None] % _SIDE) + np.arange(cols) % _SIDE
        phase = int(below(draws(request.seed, 0, 1, 1)[0], _PLACES)[0])
        tubelet = request.first + np.arange(frames)
        rank = (place.ravel() + tubelet[:, None] + phase) % _PLACES
        keys = draws(derive_seed(request.seed, "rest"), request.first, frames, rows * cols)
        return boxless(first_tokens(np.lexsort((keys, rank), axis=-1), request))


PLUGIN = RunningCell
