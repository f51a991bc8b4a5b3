"""Luma and chroma straight from decoded planes, and how two pictures differ."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel

Float32 = NDArray[np.float32]
UInt32 = NDArray[np.uint32]


@kernel
def mean_luma(
    plane: NDArray[Any], width: int, offset_y: int, offset_x: int, shift: int, unit: float, luma: Float32
) -> None:
    """Average a plane over squares.

    Parameters
    ----------
    plane : uint8 or uint16 (height, >= width)
        Luma samples, C-contiguous, each row padded at its end.
    width : int
        Samples of a row that belong to the picture; at most ``(cols << shift) - offset_x``.
    offset_y, offset_x : int
        Pixels by which the first square starts before the picture, >= 0; squares wholly before it are 0.
    shift : int
        log2 of the side of a square in pixels.
    unit : float
        Value of one step of the plane on a scale of 0..255, for example 0.25 for 10 bit.
    luma : float32 (rows, cols)
        Overwritten: mean of the pixels of each square that lie in the picture, 0..255; 0 where none does.
    """
    _mean_squares(plane, width, offset_y, offset_x, shift, shift, 1, unit, luma)


@kernel
def mean_chroma(
    plane: NDArray[Any],
    width: int,
    offset_y: int,
    offset_x: int,
    shift_y: int,
    shift_x: int,
    unit: float,
    chroma: Float32,
) -> None:
    """Average every second row of a chroma plane over rectangles.

    Parameters
    ----------
    plane : uint8 or uint16 (height, >= width)
        Samples of Cb or Cr, C-contiguous, each row padded at its end.
    width : int
        Samples of a row that belong to the picture; at most ``(cols << shift_x) - offset_x``.
    offset_y, offset_x : int
        Samples by which the first rectangle starts before the picture, >= 0.
    shift_y, shift_x : int
        log2 of the sides of a rectangle in samples.
    unit : float
        Value of one step of the plane on a scale of 0..255.
    chroma : float32 (rows, cols)
        Overwritten: mean of the samples of each rectangle that lie in the picture, in its 1st, 3rd, 5th .. row of them.
    """
    _mean_squares(plane, width, offset_y, offset_x, shift_y, shift_x, 2, unit, chroma)


@kernel
def _mean_squares(
    plane: NDArray[Any],
    width: int,
    offset_y: int,
    offset_x: int,
    shift_y: int,
    shift_x: int,
    step: int,
    unit: float,
    out: Float32,
) -> None:
    """Mean of the samples of each rectangle that lie in the picture, in every ``step``-th row from its first on."""
    height = plane.shape[0]
    rows, cols = out.shape
    width = min(width, plane.shape[1], (cols << shift_x) - offset_x)
    sums = np.empty(cols << shift_x, np.uint32)
    folded = np.empty(cols << shift_x, np.uint32)
    for row in range(rows):
        y0 = max((row << shift_y) - offset_y, 0)
        y1 = min(((row + 1) << shift_y) - offset_y, height)
        _sum_rows(plane, y0, y1, step, width, offset_x, sums)
        totals = _fold(sums, folded, shift_x)
        high = (y1 - y0 + step - 1) // step
        whole = unit / (high << shift_x) if high > 0 else 0.0
        line = out[row]
        for col in range(cols):
            line[col] = np.float64(totals[col]) * whole
        _mean_of_cut(totals, high, width, offset_x, shift_x, unit, line)


@kernel
def _mean_of_cut(totals: UInt32, high: int, width: int, offset: int, shift: int, unit: float, out: Float32) -> None:
    """Mean of the squares of a row that the picture cuts; a division for each of the others would cost as much as the sums."""
    first_whole = (offset + (1 << shift) - 1) >> shift
    for col in range(out.size):
        if first_whole <= col < (offset + width) >> shift:
            continue
        wide = min(((col + 1) << shift) - offset, width) - max((col << shift) - offset, 0)
        out[col] = unit * np.float64(totals[col]) / (high * wide) if high > 0 and wide > 0 else 0.0


@kernel
def mean_difference(before: Float32, after: Float32) -> float:
    """Mean absolute difference of two small pictures.

    Parameters
    ----------
    before, after : float32 (rows, cols)
        Mean luma, 0..255.

    Returns
    -------
    float
        0..255.
    """
    rows, cols = before.shape
    sums = np.zeros(cols, np.float64)
    for row in range(rows):
        a, b = before[row], after[row]
        for col in range(cols):
            sums[col] += np.float64(abs(a[col] - b[col]))
    total = 0.0
    for col in range(cols):
        total += sums[col]
    return float(total / (rows * cols))


@kernel
def _sum_rows(plane: NDArray[Any], y0: int, y1: int, step: int, width: int, offset: int, sums: UInt32) -> None:
    """Sum every ``step``-th of the rows y0..y1-1 of a plane, column by column, into ``sums`` from ``offset`` on, 0 elsewhere.

    This is nearly the whole cost of the means. It vectorises because nothing widens to 64 bits; four rows at a time
    save three quarters of the loads and stores of ``sums``.
    """
    sums[:] = np.uint32(0)
    inside = sums[offset:]  # an index that might be negative would be checked for wrapping, sample by sample
    y = y0
    while y + 3 * step < y1:
        a, b, c, d = plane[y], plane[y + step], plane[y + 2 * step], plane[y + 3 * step]
        for x in range(width):
            inside[x] = np.uint32(inside[x] + np.uint32(a[x]) + np.uint32(b[x]) + np.uint32(c[x]) + np.uint32(d[x]))
        y += 4 * step
    while y < y1:
        a = plane[y]
        for x in range(width):
            inside[x] = np.uint32(inside[x] + np.uint32(a[x]))
        y += step


@kernel
def _fold(values: UInt32, scratch: UInt32, shift: int) -> UInt32:
    """Sum runs of ``2**shift`` neighbours by halving ``shift`` times; returns the array that holds the sums at its start."""
    n = values.size
    for _ in range(shift):
        n >>= 1
        for i in range(n):
            scratch[i] = np.uint32(values[2 * i] + values[2 * i + 1])
        values, scratch = scratch, values
    return values


@kernel
def correlation(before: Float32, after: Float32) -> float:
    """Pearson correlation of two small pictures.

    Parameters
    ----------
    before, after : float32 (rows, cols)
        Mean luma, 0..255.

    Returns
    -------
    float
        -1..1; 1 where both are flat, 0 where only one is.
    """
    rows, cols = before.shape
    n = rows * cols
    # A Python float would become float32 without the compiler.
    mean_a = np.float64(0.0)
    mean_b = np.float64(0.0)
    for row in range(rows):
        for col in range(cols):
            mean_a += before[row, col]
            mean_b += after[row, col]
    mean_a /= n
    mean_b /= n
    aa = 0.0
    bb = 0.0
    ab = 0.0
    for row in range(rows):
        for col in range(cols):
            a = before[row, col] - mean_a
            b = after[row, col] - mean_b
            aa += a * a
            bb += b * b
            ab += a * b
    # Less than one grey level of contrast is a flat picture: its correlation would be noise.
    if aa < n or bb < n:
        return 1.0 if aa < n and bb < n else 0.0
    return min(max(ab / math.sqrt(aa * bb), -1.0), 1.0)  # rounding may overshoot


@kernel
def best_correlation(before: Float32, after: Float32, reach_y: int, reach_x: int) -> float:
    """Largest correlation of two small pictures over shifts of one against the other.

    Parameters
    ----------
    before, after : float32 (rows, cols)
        Mean luma, 0..255.
    reach_y, reach_x : int
        Largest shift in rows and columns, 0 to half of them; the correlation is that of what overlaps.

    Returns
    -------
    float
        -1..1; where what overlaps has less than one grey level of contrast in either picture, that shift counts as 0.
    """
    rows, cols = before.shape
    best = -1.0
    for shift_y in range(-reach_y, reach_y + 1):
        y0, y1 = max(0, -shift_y), min(rows, rows - shift_y)
        for shift_x in range(-reach_x, reach_x + 1):
            x0, x1 = max(0, -shift_x), min(cols, cols - shift_x)
            best = max(best, _overlap_correlation(before, after, y0, y1, x0, x1, shift_y, shift_x))
    return best


@kernel
def _overlap_correlation(
    before: Float32, after: Float32, y0: int, y1: int, x0: int, x1: int, shift_y: int, shift_x: int
) -> float:
    """Correlation of rows y0..y1-1 and columns x0..x1-1 of one picture with those a shift away in the other."""
    n = (y1 - y0) * (x1 - x0)
    a = b = aa = bb = ab = 0.0
    for row in range(y0, y1):
        for col in range(x0, x1):
            u = np.float64(before[row, col])
            v = np.float64(after[row + shift_y, col + shift_x])
            a += u
            b += v
            aa += u * u
            bb += v * v
            ab += u * v
    aa -= a * a / n
    bb -= b * b / n
    if aa < n or bb < n:
        return 0.0
    return min(max((ab - a * b / n) / math.sqrt(aa * bb), -1.0), 1.0)
