"""Random subsets of tokens, for schemes that hide no box."""

from __future__ import annotations

import numpy as np

from mgmtool.masking._draws import draws
from mgmtool.types import Bool, Placement, PlacementRequest


def random_subsets(request: PlacementRequest, first: int, rows: int) -> Bool:
    """Masks of ``rows`` frames, each a uniform subset of exactly ``masked`` tokens; (rows, token rows, token cols)."""
    layout = request.layout
    tokens = layout.rows * layout.cols
    order = np.argsort(draws(request.seed, first, rows, tokens), axis=1, kind="stable")
    mask = np.zeros((rows, tokens), np.bool_)
    np.put_along_axis(mask, order[:, : layout.masked], True, axis=1)
    return mask.reshape(rows, layout.rows, layout.cols)


def boxless(mask: Bool) -> Placement:
    """Return the placement of a mask that is no box."""
    return Placement(mask, np.full((len(mask), 2), -1, np.int16), np.zeros(len(mask), np.bool_))
