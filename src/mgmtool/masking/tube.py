"""Tube masking: the same random tokens in every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgmtool.masking._scheme import Motionless
from mgmtool.masking._subsets import boxless, random_subsets
from mgmtool.types import Placement, PlacementRequest


@dataclass(frozen=True)
class Tube(Motionless):
    """Random tokens, the same in every frame of a video (VideoMAE's tube masking)."""

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        one = random_subsets(request, 0, 1)
        return boxless(np.repeat(one, len(request.energy), axis=0))


PLUGIN = Tube
