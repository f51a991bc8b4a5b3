"""Random tokens, those that move more often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.masking._draws import draws, unit
from mgmtool.masking._energetic import Energetic
from mgmtool.masking._subsets import boxless, first_tokens
from mgmtool.types import Float64, Placement, PlacementRequest

_LOW, _HIGH = 0.01, 100.0


@dataclass(frozen=True)
class WeightedMotion(Energetic):
    """Random tokens, drawn without replacement with probabilities by their energy, anew in every frame.

    Tokens are drawn one after the other with ``p ~ E^(1 / tau)`` (Gumbel top-k, Kool et al., 2019); those without energy come
    last, uniformly. Energy is that of ``motion-guided``. That tokens are weighed by it is our choice.

    Attributes
    ----------
    tau : float
        Temperature: towards 0 it is ``top-motion``, towards infinity all tokens with energy are alike.
    """

    tau: float = 1.0

    def __post_init__(self) -> None:
        """Check the options."""
        if not _LOW <= self.tau <= _HIGH:
            raise UsageError(f"weighted-motion option tau is {self.tau}; expected {_LOW:g} to {_HIGH:g}")

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        energy = request.energy.reshape(len(request.energy), -1).astype(np.float64)
        still = energy <= 0
        gumbel: Float64 = -np.log(-np.log(unit(draws(request.seed, request.first, *energy.shape))))
        score = gumbel + np.log(np.where(still, 1.0, energy)) / self.tau
        return boxless(first_tokens(np.lexsort((-score, still), axis=-1), request))


PLUGIN = WeightedMotion
