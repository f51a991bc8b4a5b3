"""Random rectangles, the same in every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import UsageError
from mgmtool.masking._blocks import random_sides, random_span
from mgmtool.masking._draws import derive_seed, draws
from mgmtool.masking._subsets import pick, same_in_all
from mgmtool.masking.base import Motionless
from mgmtool.types import Bool, Placement, PlacementRequest

_MOST_TRIES, _TRIES_IN_VAIN = 512, 10


@dataclass(frozen=True)
class Block(Motionless):
    """Random rectangles until the count is reached, the same in every frame (BEiT's blockwise masking).

    After Bao et al., 2022: the area of each rectangle is uniform from ``min_tokens`` to what is left to hide, the aspect
    log-uniform in 0.3 .. 1 / 0.3; one that spans the grid, hides nothing new or hides too much is drawn again, up to ten times.
    BEiT leaves it at fewer tokens then; here random ones make up the exact count (our choice).

    Attributes
    ----------
    min_tokens : int
        Least area of a rectangle, in tokens.
    """

    min_tokens: int = 4

    def __post_init__(self) -> None:
        """Check the options."""
        if not 1 <= self.min_tokens <= 65536:
            raise UsageError(f"block option min_tokens is {self.min_tokens}; expected 1 to 65536")

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        layout = request.layout
        mask = np.zeros((layout.rows, layout.cols), np.bool_)
        left, vain = layout.masked, 0
        for raw in draws(request.seed, 0, _MOST_TRIES, 4):
            if not left or vain == _TRIES_IN_VAIN:
                break
            added = self._add(mask, raw, left)
            left, vain = left - added, 0 if added else vain + 1
        keys = draws(derive_seed(request.seed, "rest"), 0, 1, mask.size)
        return same_in_all(mask | pick(~mask, left, keys), request)

    def _add(self, mask: Bool, raw: NDArray[np.uint64], left: int) -> int:
        """Hide one rectangle if it fits; return how many tokens it adds."""
        high, wide = random_sides(raw[:2], self.min_tokens, left)
        if not (0 < high < mask.shape[0] and 0 < wide < mask.shape[1]):
            return 0
        where = random_span(raw[2], high, mask.shape[0]), random_span(raw[3], wide, mask.shape[1])
        added = int((~mask[where]).sum())
        if added > left:
            return 0
        mask[where] = True
        return added


PLUGIN = Block
