"""Random blocks of space and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import UsageError
from mgmtool.masking._blocks import random_sides, random_span
from mgmtool.masking._draws import below, derive_seed, draws
from mgmtool.masking._subsets import boxless, pick
from mgmtool.masking.base import Motionless, require_clip
from mgmtool.types import Placement, PlacementRequest, TokenLayout

_MOST_CUBES = 256


@dataclass(frozen=True)
class Cube(Motionless):
    """Random blocks of space and time, until the count is reached (MaskFeat's cubes); for clips only.

    After Wei et al., "Masked Feature Prediction", 2022: a rectangle of random area, aspect and place, over a random span of
    tubelets. The area is uniform from ``min_tokens`` to the count of a tubelet, the aspect log-uniform in 0.3 .. 1 / 0.3. Of the
    last cube, random tokens are taken away until the count is exact over the clip; what 256 cubes have not reached is made up
    of random tokens (both our choice).

    Attributes
    ----------
    min_tokens : int
        Least area of a cube in one tubelet, in tokens.
    """

    min_tokens: int = 16
    exact: ClassVar[str] = "clip"
    volumes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the options."""
        if not 1 <= self.min_tokens <= 65536:
            raise UsageError(f"cube option min_tokens is {self.min_tokens}; expected 1 to 65536")

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        require_clip(request, "cube hides blocks of space and time")
        mask = np.zeros(request.energy.shape, np.bool_)
        frames, tokens = len(mask), mask[0].size
        keys = draws(derive_seed(request.seed, "rest"), 0, frames, tokens).reshape(mask.shape)
        for raw in draws(request.seed, 0, _MOST_CUBES, 6):
            left = request.layout.masked * frames - int(mask.sum())
            if not left:
                break
            where = self._cube(raw, frames, request.layout)
            mask[where] |= pick(~mask[where], left, keys[where])
        left = request.layout.masked * frames - int(mask.sum())
        return boxless(mask | pick(~mask, left, keys))

    def _cube(self, raw: NDArray[np.uint64], frames: int, layout: TokenLayout) -> tuple[slice, slice, slice]:
        """Tubelets, rows and columns of a cube."""
        most = max(layout.masked, 1)
        high, wide = random_sides(raw[:2], min(self.min_tokens, most), most)
        length = 1 + int(below(raw[2:3], frames)[0])
        return (
            random_span(raw[3], length, frames),
            random_span(raw[4], max(high, 1), layout.rows),
            random_span(raw[5], max(wide, 1), layout.cols),
        )


PLUGIN = Cube
