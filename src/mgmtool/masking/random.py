"""Random tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mgmtool.masking._draws import draws
from mgmtool.masking._subsets import boxless, pick, random_subsets
from mgmtool.masking.base import Motionless
from mgmtool.types import Placement, PlacementRequest


@dataclass(frozen=True)
class Random(Motionless):
    """Random tokens of the whole clip; in a mask volume, of each frame.

    The "random" of VideoMAE (Tong et al., 2022) and the "agnostic" of MAE as spatiotemporal learner (Feichtenhofer et al.,
    2022): a uniform subset of all tokens of a clip, so that only the count of the clip is exact. A volume has no end while it is
    made; there the subset is drawn anew in every frame, and exact in each, as ``random-frame`` does.
    """

    exact: ClassVar[str] = "clip"

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        frames, tokens = len(request.energy), request.energy[0].size
        if not request.clip:
            return boxless(random_subsets(request, request.first, frames))
        keys = draws(request.seed, 0, frames, tokens)
        return boxless(pick(np.ones(request.energy.shape, np.bool_), request.layout.masked * frames, keys))


PLUGIN = Random
