"""The box in the middle of the frame."""

from __future__ import annotations

from dataclasses import dataclass

from mgmtool.masking.base import Motionless, centre, constant, place_boxes
from mgmtool.types import Placement, PlacementRequest


@dataclass(frozen=True)
class CentreBox(Motionless):
    """A box in the centre of every frame: the baseline that photographers make strong."""

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        return place_boxes(request, constant(request, centre(request)))


PLUGIN = CentreBox
