"""A box that stays where it starts."""

from __future__ import annotations

from dataclasses import dataclass

from mgmtool.masking.base import Motionless, constant, place_boxes, random_corner
from mgmtool.types import Placement, PlacementRequest


@dataclass(frozen=True)
class FixedBox(Motionless):
    """A box at a random place, the same in every frame of a video."""

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        return place_boxes(request, constant(request, random_corner(request)))


PLUGIN = FixedBox
