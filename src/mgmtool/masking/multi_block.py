"""Several rectangles of one size, over the whole duration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import UsageError
from mgmtool.masking._blocks import grown, random_span, rectangle
from mgmtool.masking._draws import derive_seed, draws, unit
from mgmtool.masking._subsets import pick, same_in_all
from mgmtool.masking.base import Motionless, require_clip
from mgmtool.types import Bool, Placement, PlacementRequest, TokenLayout

_RANGES = {"num_blocks": (1, 256), "scale": (0.0, 1.0), "aspect_low": (0.01, 100.0), "aspect_high": (0.01, 100.0)}


@dataclass(frozen=True)
class MultiBlock(Motionless):
    """The union of several rectangles of one size at random places, the same in every frame (V-JEPA's multi-block).

    After Bardes et al., 2024: the area is a share of the grid, the aspect uniform; one size, and a place for each block. The
    defaults are the paper's short-range masks; ``num_blocks=2, scale=0.7`` are its long-range masks. The union is as large as it
    happens to be; tokens next to it are added at random, or tokens of it taken away at random, until the count is exact (our
    choice), unless that is switched off.

    Attributes
    ----------
    num_blocks : int
        How many rectangles.
    scale : float
        Share of the grid that each of them covers.
    aspect_low, aspect_high : float
        Range of height / width.
    exact_count : bool
        Off, the union stays as it is, and clips differ in their count; not for mask volumes.
    """

    num_blocks: int = 8
    scale: float = 0.15
    aspect_low: float = 0.75
    aspect_high: float = 1.5
    exact_count: bool = True

    def __post_init__(self) -> None:
        """Check the options."""
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise UsageError(f"multi-block option {name} is {value}; expected {low:g} to {high:g}")
        if self.aspect_low > self.aspect_high:
            raise UsageError(
                f"multi-block option aspect_low is {self.aspect_low}; expected aspect_high ({self.aspect_high}) or less"
            )

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        union = self._union(request.layout, request.seed)
        if self.exact_count:
            keys = draws(derive_seed(request.seed, "rest"), 0, 1, union.size)
            return same_in_all(_exact(union, request.layout.masked, keys), request)
        require_clip(request, "multi-block option exact_count is False")
        return same_in_all(union, request)

    def _union(self, layout: TokenLayout, seed: int) -> Bool:
        """All blocks; bool (rows, cols)."""
        raw = draws(seed, 0, 1 + self.num_blocks, 2)
        aspect = self.aspect_low + (self.aspect_high - self.aspect_low) * float(unit(raw[0])[0])
        high, wide = rectangle(int(layout.rows * layout.cols * self.scale), aspect)
        union = np.zeros((layout.rows, layout.cols), np.bool_)
        for y, x in raw[1:]:
            union[random_span(y, max(high, 1), layout.rows), random_span(x, max(wide, 1), layout.cols)] = True
        return union


def _exact(mask: Bool, masked: int, keys: NDArray[np.uint64]) -> Bool:
    """Take random tokens away, or add random ones of the ring around the mask, ring by ring, until the count is exact."""
    mask = pick(mask, masked, keys)
    # A mask that lost tokens is exact; one that did not has at least a token, so that there is a ring while any are left.
    while left := masked - int(mask.sum()):
        mask |= pick(grown(mask) & ~mask, left, keys)
    return mask


PLUGIN = MultiBlock
