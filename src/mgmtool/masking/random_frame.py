"""Random tokens, anew in every frame."""

from __future__ import annotations

from dataclasses import dataclass

from mgmtool.masking._subsets import boxless, random_subsets
from mgmtool.masking.base import Motionless
from mgmtool.types import Placement, PlacementRequest


@dataclass(frozen=True)
class RandomFrame(Motionless):
    """Random tokens, drawn anew for every frame or tubelet, with the exact count in each."""

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        return boxless(random_subsets(request, request.first, len(request.energy)))


PLUGIN = RandomFrame
