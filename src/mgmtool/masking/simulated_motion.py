"""Simulated motion masking (SMM): a box that wanders at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.masking._draws import below, draws
from mgmtool.masking.base import Motionless, place_boxes, places, random_corner
from mgmtool.types import Placement, PlacementRequest


@dataclass(frozen=True)
class SimulatedMotion(Motionless):
    """A box on a random, spatially continuous walk (the SMM baseline of the MGM paper).

    The start is uniform; each step is uniform in ``{-step .. step}`` tokens on both axes and reflected at the border.

    Attributes
    ----------
    step : int
        Largest step from one frame to the next, in tokens (our choice; the paper states none).
    """

    step: int = 1

    def __post_init__(self) -> None:
        """Check the options."""
        if not 0 <= self.step <= 256:
            raise UsageError(f"simulated-motion option step is {self.step}; expected 0 to 256")

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        ys, xs = places(request)
        raw = draws(request.seed, 1 + request.first, len(request.energy), 2)
        steps = below(raw, 2 * self.step + 1) - self.step
        corner = np.empty((len(steps), 2), np.int16)
        here = request.previous
        for t, (dy, dx) in enumerate(steps.tolist()):
            here = random_corner(request) if here is None else (reflect(here[0] + dy, ys), reflect(here[1] + dx, xs))
            corner[t] = here
        return place_boxes(request, corner)


def reflect(place: int, count: int) -> int:
    """Fold a place back into 0 .. count-1 as a mirror at each end would."""
    if count == 1:
        return 0
    period = 2 * (count - 1)
    place %= period
    return min(place, period - place)


PLUGIN = SimulatedMotion
