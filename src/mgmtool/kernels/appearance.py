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
    units = inner = blue = blue_squares = red = red_squares = 0
    for row in range(rows):
        inside_y = edge <= row < rows - edge
        for col in range(cols):
            here = int(bins[row, col])
            counts = table[here]
            own = int(np.float64(energy[row, col]) * _UNITS + 0.5)
            counts[0] += sign * own
            counts[1] += sign
            units += own
            if inside_y and edge <= col < cols - edge:
                counts[2] += sign
                inner += 1
            rest = here // CHROMA_BINS
            r, b = here - rest * CHROMA_BINS, rest % CHROMA_BINS
            red += r
            red_squares += r * r
            blue += b
            blue_squares += b * b
    totals[0] += sign * units
    totals[1] += sign * rows * cols
    totals[2] += sign * inner
    totals[3] += sign * blue
    totals[4] += sign * blue_squares
    totals[5] += sign * red
    totals[6] += sign * red_squares


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
    wide = cols - 2 * edge_x
    n = (rows - 2 * edge_y) * wide
    counts, values, likeness = np.empty((3, n), np.float64), np.empty(n, np.float64), np.ones(n, np.float64)
    for row in range(edge_y, rows - edge_y):
        first = (row - edge_y) * wide
        for i in range(wide):
            values[first + i] = energy[row, edge_x + i]
            here = table[bins[row, edge_x + i]]
            counts[0, first + i], counts[1, first + i], counts[2, first + i] = here[0], here[1], here[2]
    total = max(np.float64(totals[1]), 1.0)
    if not is_grey(totals):
        _multiply_likeness(counts[0], counts[1], totals[0] / total, _MEAN_COUNTS, likeness)
        _multiply_likeness(counts[2], counts[1], totals[2] / total, _INNER_COUNTS, likeness)
    _weigh(values, likeness)
    out[:] = 0.0
    for row in range(edge_y, rows - edge_y):
        first = (row - edge_y) * wide
        for i in range(wide):
            out[row, edge_x + i] = values[first + i]


# All cells at a time, step by step: these loops vectorise, where a look into the table in between would keep them from it.


@kernel
def _multiply_likeness(of_colour: Float64, cells: Float64, mean: float, prior: float, likeness: Float64) -> None:
    """Multiply by the mean of a colour over the overall mean, shrunk to it by ``prior`` cells; by 1 where that is 0."""
    if mean > 0.0:
        for i in range(likeness.size):
            likeness[i] *= (of_colour[i] + prior * mean) / ((cells[i] + prior) * mean)


@kernel
def _weigh(values: Float64, likeness: Float64) -> None:
    """Turn energy Q into ``Q^0.75 likeness^1.5``; square roots are exact on every machine, powers are not."""
    for i in range(values.size):
        root = math.sqrt(values[i])
        values[i] = root * math.sqrt(root) * likeness[i] * math.sqrt(likeness[i])
