"""Tube masking: the same random tokens in every frame."""

from __future__ import annotations

from dataclasses import dataclass

from mgmtool.masking._subsets import random_subsets, same_in_all
from mgmtool.masking.base import Motionless
from mgmtool.types import Placement, PlacementRequest


@dataclass(frozen=True)
class Tube(Motionless):
    """Random tokens, the same in every frame of a video (VideoMAE's tube masking)."""

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        return same_in_all(random_subsets(request, 0, 1)[0], request)


PLUGIN = Tube
