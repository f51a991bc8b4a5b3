"""Luma and chroma straight from decoded planes, and how two pictures differ."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]
UInt32 = NDArray[np.uint32]


@kernel
def mean_plane(
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
    """Average every ``step``-th row of a plane over rectangles.

    Parameters
    ----------
    plane : uint8 or uint16 (height, >= width)
        Samples of luma, Cb or Cr, C-contiguous, each row padded at its end.
    width : int
        Samples of a row that belong to the picture; at most ``(cols << shift_x) - offset_x``.
    offset_y, offset_x : int
        Samples by which the first rectangle starts before the picture, >= 0; rectangles wholly before it are 0.
    shift_y, shift_x : int
        log2 of the sides of a rectangle in samples.
    step : int
        Of the rows of a rectangle in the picture, the 1st, and every ``step``-th after it count; >= 1.
    unit : float
        Value of one step of the samples on a scale of 0..255, for example 0.25 for 10 bit.
    out : float32 (rows, cols)
        Overwritten: mean of the samples that count, 0..255; 0 where there are none.
    """
    height = plane.shape[0]
    rows, cols = out.shape
    width = min(width, plane.shape[1], (cols << shift_x) - offset_x)
    sums = np.zeros(cols << shift_x, np.uint32)
    halves = np.empty(max(cols << shift_x >> 1, 1), np.uint32)
    inside = sums[offset_x:]  # an index that might be negative would be checked for wrapping, sample by sample
    cut = offset_x > 0 or width < cols << shift_x
    for row in range(rows):
        y0 = max((row << shift_y) - offset_y, 0)
        y1 = min(((row + 1) << shift_y) - offset_y, height)
        _sum_rows(plane, y0, y1, step, width, inside)
        high = (y1 - y0 + step - 1) // step
        _fold(sums, halves, shift_x, unit / (high << shift_x) if high > 0 else 0.0, out[row])
        if cut:
            _mean_of_cut(sums, high, width, offset_x, shift_x, unit, out[row])


@kernel
def mean_picture(
    luma: NDArray[Any],
    cb: NDArray[Any],
    cr: NDArray[Any],
    places: Int64,
    unit: float,
    light: Float32,
    colour: Float32,
) -> None:
    """Average the planes of a picture, all in one call.

    Parameters
    ----------
    luma, cb, cr : uint8 or uint16 (height, >= width)
        Samples of the three planes; ``cb`` and ``cr`` without rows for a grey picture.
    places : int64 (2, 6)
        ``width, offset_y, offset_x, shift_y, shift_x, step`` of :func:`mean_plane`, for luma and for both planes of chroma.
    unit : float
        Value of one step of the samples on a scale of 0..255.
    light : float32 (rows, cols)
        Overwritten: means of luma; without rows where they are not asked for.
    colour : float32 (2, rows, cols)
        Overwritten: means of Cb and Cr, 128 for a grey picture; likewise.
    """
    if light.shape[0] > 0:
        _mean_at(luma, places[0], unit, light)
    if colour.shape[1] > 0:
        colour[:] = 128.0
        if cb.shape[0] > 0:
            _mean_at(cb, places[1], unit, colour[0])
            _mean_at(cr, places[1], unit, colour[1])


@kernel
def _mean_at(plane: NDArray[Any], place: Int64, unit: float, out: Float32) -> None:
    mean_plane(plane, place[0], place[1], place[2], place[3], place[4], place[5], unit, out)


@kernel
def _sum_rows(plane: NDArray[Any], y0: int, y1: int, step: int, width: int, sums: UInt32) -> None:
    """Sum every ``step``-th of the rows y0..y1-1 of a plane, column by column; vectorises since nothing widens to 64 bits."""
    y = y0
    if y + 3 * step < y1:  # the usual four rows, in one pass
        a, b, c, d = plane[y], plane[y + step], plane[y + 2 * step], plane[y + 3 * step]
        for x in range(width):
            sums[x] = np.uint32(np.uint32(a[x]) + np.uint32(b[x]) + np.uint32(c[x]) + np.uint32(d[x]))
        y += 4 * step
    else:
        sums[:width] = np.uint32(0)
    while y < y1:
        a = plane[y]
        for x in range(width):
            sums[x] = np.uint32(sums[x] + np.uint32(a[x]))
        y += step


@kernel
def _fold(sums: UInt32, halves: UInt32, shift: int, scale: float, out: Float32) -> None:
    """Sum runs of ``2**shift`` neighbours, two and two, and scale them."""
    n = sums.size
    for _ in range(shift):
        n >>= 1
        for i in range(n):
            halves[i] = np.uint32(sums[2 * i] + sums[2 * i + 1])
        sums = halves
    for col in range(out.size):
        out[col] = np.float64(sums[col]) * scale


@kernel
def _sum_run(values: UInt32) -> np.uint32:
    total = np.uint32(0)
    for i in range(values.size):
        total = np.uint32(total + values[i])
    return total


@kernel
def _mean_of_cut(sums: UInt32, high: int, width: int, offset: int, shift: int, unit: float, out: Float32) -> None:
    """Mean of the squares of a row that the picture cuts; a division for each of the others would cost as much as the sums."""
    first_whole = (offset + (1 << shift) - 1) >> shift
    for col in range(out.size):
        if first_whole <= col < (offset + width) >> shift:
            continue
        wide = min(((col + 1) << shift) - offset, width) - max((col << shift) - offset, 0)
        total = np.float64(_sum_run(sums[col << shift : (col + 1) << shift]))
        out[col] = unit * total / (high * wide) if high > 0 and wide > 0 else 0.0


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
