"""The tokens that move most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgmtool.masking._energetic import Energetic
from mgmtool.masking._subsets import boxless, first_tokens
from mgmtool.types import Placement, PlacementRequest


@dataclass(frozen=True)
class TopMotion(Energetic):
    """The tokens with most energy of motion against the camera, frame by frame; no box.

    Of equal energies, the smallest index goes first. Energy is that of ``motion-guided``.
    """

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        order = np.argsort(-request.energy.reshape(len(request.energy), -1), axis=1, kind="stable")
        return boxless(first_tokens(order, request))


PLUGIN = TopMotion
