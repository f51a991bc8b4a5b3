"""A colour model that spreads motion evidence over the whole object.

Sums are whole numbers, so that a frame that leaves the window leaves nothing behind.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]

LUMA_BINS, CHROMA_BINS = 8, 48
BINS = LUMA_BINS * CHROMA_BINS * CHROMA_BINS
"""Number of colours: 8 of luma times 48 x 48 of chroma, one unit wide around grey."""

_UNITS = 1 << 20
"""Whole numbers to one unit of energy."""
_GREY_DEVIATION = 2.0
_MEAN_COUNTS = 0.25
_INNER_COUNTS = 2.5


@kernel
def blur(values: Float32, sigma: float, line: Float32, out: Float32) -> None:
    """Gaussian blur, cut at three sigma, normalised over what lies in the picture.

    Parameters
    ----------
    values : float32 (rows, cols)
        What to blur.
    sigma : float
        Standard deviation in cells, >= 0.
    line : float32 (rows, cols)
        Scratch.
    out : float32 (rows, cols)
        Overwritten.
    """
    reach = math.ceil(3.0 * sigma)
    weights = np.empty(reach + 1, np.float32)
    for k in range(reach + 1):
        weights[k] = math.exp(-0.5 * (k / sigma) ** 2) if sigma > 0.0 else 1.0
    _blur_down(values, weights, line)
    _blur_across(line, weights, out)


@kernel
def _blur_down(values: Float32, weights: Float32, out: Float32) -> None:
    """Weighted mean of the rows around each row."""
    rows, cols = values.shape
    reach = weights.size - 1
    for row in range(rows):
        out[row] = 0.0
        total = np.float32(0.0)
        for k in range(max(-reach, -row), min(reach, rows - 1 - row) + 1):
            weight = weights[abs(k)]
            total += weight
            for col in range(cols):
                out[row, col] += weight * values[row + k, col]
        inverse = np.float32(1.0) / total
        for col in range(cols):
            out[row, col] *= inverse


@kernel
def _blur_across(values: Float32, weights: Float32, out: Float32) -> None:
    """Weighted mean of the columns around each column, a row at a time."""
    rows, cols = values.shape
    reach = weights.size - 1
    totals = np.zeros(cols, np.float32)
    for col in range(cols):
        for k in range(max(-reach, -col), min(reach, cols - 1 - col) + 1):
            totals[col] += weights[abs(k)]
    for row in range(rows):
        line, mean = values[row], out[row]
        mean[:] = 0.0
        for k in range(max(-reach, 1 - cols), min(reach, cols - 1) + 1):
            weight = weights[abs(k)]
            for col in range(max(0, -k), min(cols, cols - k)):
                mean[col] += weight * line[col + k]
        for col in range(cols):
            mean[col] /= totals[col]


@kernel
def colour_bins(luma: Float32, chroma: Float32, bins: Int32) -> None:
    """Colour of each cell as one number.

    Parameters
    ----------
    luma : float32 (2 rows, 2 cols)
        Mean luma of quarter cells, 0..255.
    chroma : float32 (2, rows, cols)
        Mean Cb and Cr of cells, 128 for grey.
    bins : int32 (rows, cols)
        Overwritten: 0 .. :data:`BINS` - 1.
    """
    rows, cols = bins.shape
    least = 128.0 - CHROMA_BINS // 2
    for row in range(rows):
        for col in range(cols):
            i, j = 2 * row, 2 * col
            y = 0.25 * np.float64(luma[i, j] + luma[i, j + 1] + luma[i + 1, j] + luma[i + 1, j + 1])
            light = _bin(y * (LUMA_BINS / 256.0), LUMA_BINS)
            blue = _bin(np.float64(chroma[0, row, col]) - least, CHROMA_BINS)
            red = _bin(np.float64(chroma[1, row, col]) - least, CHROMA_BINS)
            bins[row, col] = (light * CHROMA_BINS + blue) * CHROMA_BINS + red


@kernel
def _bin(value: float, count: int) -> int:
    """Whole part of a value, within 0 .. count - 1; 0 for what is no number. Beyond the integers, int() could be anything."""
    return int(min(value, count - 1.0)) if value >= 1.0 else 0


@kernel
def count_colours(energy: Float32, bins: Int32, edge: int, sign: int, table: Int64, totals: Int64) -> None:
    """Add a frame to the colour model, or take it out again.

    Parameters
    ----------
    energy : float32 (rows, cols)
        Energy, >= 0.
    bins : int32 (rows, cols)
        Colours, see :func:`colour_bins`.
    edge : int
        Cells within this distance of the frame's edge count as border.
    sign : int
        +1 to add, -1 to take out.
    table : int64 (BINS, 3)
        Per colour: energy in units of 2^-20, cells, cells that are not border.
    totals : int64 (7,)
        The same three over all colours, then sum and sum of squares of the bins of Cb, and of Cr.
    """
    rows, cols = bins.shape
    for row in range(rows):
        inside_y = edge <= row < rows - edge
        for col in range(cols):
            here = bins[row, col]
            units = sign * np.int64(np.float64(energy[row, col]) * _UNITS + 0.5)
            inner = sign if inside_y and edge <= col < cols - edge else 0
            table[here, 0] += units
            table[here, 1] += sign
            table[here, 2] += inner
            totals[0] += units
            totals[1] += sign
            totals[2] += inner
            red = here % CHROMA_BINS
            blue = here // CHROMA_BINS % CHROMA_BINS
            totals[3] += sign * blue
            totals[4] += sign * blue * blue
            totals[5] += sign * red
            totals[6] += sign * red * red


@kernel
def is_grey(totals: Int64) -> bool:
    """Whether the colours of the model are too alike to tell anything: Cb and Cr deviate by less than 2 units."""
    n = np.float64(totals[1])
    if n == 0.0:
        return True
    for k in (3, 5):
        mean = totals[k] / n
        if totals[k + 1] / n - mean * mean >= _GREY_DEVIATION * _GREY_DEVIATION:
            return False
    return True


@kernel
def weigh_by_colour(energy: Float32, bins: Int32, border: int, table: Int64, totals: Int64, out: Float32) -> None:
    """Energy where it moves and where it looks like what moves: ``X = Q^0.75 (A B)^1.5``.

    A of a colour is its mean energy over the overall mean, shrunk to it by a quarter of a cell; B is the share of its cells that
    are not border over that share of all cells, shrunk to it by 2.5 cells: a colour seen along the border is background (a
    prior). Both are 1 in a grey film, A is 1 where nothing moves, B where there is nothing but border.

    Parameters
    ----------
    energy : float32 (rows, cols)
        Q: energy after pooling and blurring, >= 0.
    bins : int32 (rows, cols)
        Colours.
    border : int
        Outer cells that are set to zero; at least one cell is always left.
    table, totals : int64
        The colour model, see :func:`count_colours`.
    out : float32 (rows, cols)
        Overwritten.
    """
    rows, cols = energy.shape
    edge_y = max(0, min(border, (rows - 1) // 2))
    edge_x = max(0, min(border, (cols - 1) // 2))
    grey = is_grey(totals)
    mean = totals[0] / max(np.float64(totals[1]), 1.0)
    share = totals[2] / max(np.float64(totals[1]), 1.0)
    out[:] = 0.0
    for row in range(edge_y, rows - edge_y):
        for col in range(edge_x, cols - edge_x):
            likeness = 1.0 if grey else _likeness(table[bins[row, col]], mean, share)
            root = math.sqrt(np.float64(energy[row, col]))
            # Square roots are exact on every machine, powers are not.
            out[row, col] = root * math.sqrt(root) * likeness * math.sqrt(likeness)


@kernel
def _likeness(counts: Int64, mean: float, share: float) -> float:
    """Return A times B of one colour, given the overall mean energy and share of cells that are not border."""
    likeness = 1.0
    if mean > 0.0:
        likeness = (counts[0] + _MEAN_COUNTS * mean) / ((counts[1] + _MEAN_COUNTS) * mean)
    if share > 0.0:
        likeness *= (counts[2] + _INNER_COUNTS * share) / ((counts[1] + _INNER_COUNTS) * share)
    return likeness
