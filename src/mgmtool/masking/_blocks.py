"""Rectangles of random size and place, for schemes that hide several."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mgmtool.masking._draws import below, unit
from mgmtool.types import Bool

_LOG_ASPECT = math.log(1 / 0.3)


def random_sides(raw: NDArray[np.uint64], least: float, most: float) -> tuple[int, int]:
    """Sides of a rectangle as BEiT draws them: area uniform, height / width log-uniform in 0.3 .. 1 / 0.3.

    Parameters
    ----------
    raw : uint64 (2,)
        Draws.
    least, most : float
        Area in tokens.

    Returns
    -------
    height, width : int
        In tokens, rounded; may be larger than the grid.
    """
    size, shape = unit(raw).tolist()
    return rectangle(least + (most - least) * size, math.exp((2 * shape - 1) * _LOG_ASPECT))


def rectangle(area: float, aspect: float) -> tuple[int, int]:
    """Height and width of a rectangle of an area in tokens and an aspect height / width, rounded."""
    return round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))


def random_span(raw: np.uint64, length: int, count: int) -> slice:
    """Span of ``length`` of ``count`` places, its start uniform; all of them if it is longer."""
    length = min(length, count)
    start = int(below(np.array([raw]), count - length + 1)[0])
    return slice(start, start + length)


def grown(mask: Bool) -> Bool:
    """Return the tokens of a mask and those that touch them, corners included."""
    rows = mask.copy()
    rows[1:] |= mask[:-1]
    rows[:-1] |= mask[1:]
    both = rows.copy()
    both[:, 1:] |= rows[:, :-1]
    both[:, :-1] |= rows[:, 1:]
    return both
