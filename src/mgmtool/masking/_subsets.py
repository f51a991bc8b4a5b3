"""Random subsets of tokens, for schemes that hide no box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgmtool.masking._draws import draws
from mgmtool.types import Bool, Placement, PlacementRequest


def random_subsets(request: PlacementRequest, first: int, rows: int) -> Bool:
    """Masks of ``rows`` frames, each a uniform subset of exactly ``masked`` tokens; (rows, token rows, token cols)."""
    layout = request.layout
    keys = draws(request.seed, first, rows, layout.rows * layout.cols)
    return first_tokens(np.argsort(keys, axis=1, kind="stable"), request)


def first_tokens(order: NDArray[np.int64], request: PlacementRequest) -> Bool:
    """Mask the first ``masked`` tokens of an order.

    Parameters
    ----------
    order : int64 (frames, tokens)
        Numbers of the tokens, row by row of the grid, those to hide first.
    request : PlacementRequest
        What was asked.

    Returns
    -------
    bool (frames, rows, cols)
    """
    layout = request.layout
    mask = np.zeros(order.shape, np.bool_)
    np.put_along_axis(mask, order[:, : layout.masked], True, axis=1)
    return mask.reshape(len(order), layout.rows, layout.cols)


def pick(among: Bool, count: int, keys: NDArray[np.uint64]) -> Bool:
    """Pick ``count`` of the tokens of a mask, or all if there are fewer: uniformly, if the keys are random draws.

    Parameters
    ----------
    among : bool (...)
        The tokens to pick from.
    count : int
        How many.
    keys : uint64, as many as tokens
        Those with the smallest keys are picked; of equal keys, the smallest index.

    Returns
    -------
    bool (...)
    """
    places = np.flatnonzero(among)
    chosen = places[np.argsort(keys.ravel()[places], kind="stable")[:count]]
    picked = np.zeros(among.size, np.bool_)
    picked[chosen] = True
    return picked.reshape(among.shape)


def boxless(mask: Bool) -> Placement:
    """Return the placement of a mask that is no box."""
    return Placement(mask, np.full((len(mask), 2), -1, np.int16), np.zeros(len(mask), np.bool_))


def same_in_all(frame: Bool, request: PlacementRequest) -> Placement:
    """Return the placement that hides the same tokens (rows, cols) in every frame of the run."""
    return boxless(np.repeat(frame[None], len(request.energy), axis=0))
