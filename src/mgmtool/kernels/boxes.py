"""Where a box of fixed size holds most energy, frame by frame and along a smooth path."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

_NO_ENERGY = 1e-12


@kernel
def box_shares(energy: Float32, box_rows: int, box_cols: int, table: Float64, shares: Float64) -> bool:
    """Share of a frame's energy inside the box, for every place of the box.

    Parameters
    ----------
    energy : float32 (rows, cols)
        >= 0 and finite.
    box_rows, box_cols : int
        Sides of the box, 1..rows and 1..cols.
    table : float64 (rows + 1, cols + 1)
        Scratch: the summed-area table.
    shares : float64 (rows - box_rows + 1, cols - box_cols + 1)
        Overwritten: 0..1 for the box whose top left token is (y, x); all 0 for a frame whose energy is below 1e-12.

    Returns
    -------
    bool
        Whether the frame has energy.
    """
    rows, cols = energy.shape
    table[0, :] = 0.0
    for row in range(rows):
        line = np.float64(0.0)  # a Python float would become float32 without the compiler
        table[row + 1, 0] = 0.0
        for col in range(cols):
            line += energy[row, col]
            table[row + 1, col + 1] = table[row, col + 1] + line
    total = table[rows, cols]
    shares[:] = 0.0
    if total < _NO_ENERGY:
        return False
    for y in range(shares.shape[0]):
        for x in range(shares.shape[1]):
            inside = table[y + box_rows, x + box_cols] - table[y, x + box_cols] - table[y + box_rows, x] + table[y, x]
            shares[y, x] = inside / total
    return True


@kernel
def best_path(shares: Float64, smoothness: float, start_y: int, start_x: int, corner: NDArray[np.int16]) -> None:
    """Path of the box that maximises energy minus jumps, by exact dynamic programming.

    Maximises ``sum_t shares[t, p_t] - smoothness * sum_t |p_t - p_{t-1}|^2``. The squared distance splits into rows and
    columns, so the best predecessor of every place is found with two one-dimensional passes. Ties go to the smallest index.

    Parameters
    ----------
    shares : float64 (frames, ys, xs)
        Worth of each place of the box, at most 32767 rows and columns.
    smoothness : float
        Cost of a jump of one token, >= 0.
    start_y, start_x : int
        Where the box stood in the frame before the first, or -1: then the first place is free.
    corner : int16 (frames, 2)
        Overwritten: (y, x) of the box in every frame.
    """
    frames, ys, xs = shares.shape
    if frames == 0:
        return
    value = np.empty((ys, xs), np.float64)
    reached = np.empty((ys, xs), np.float64)
    along = np.empty((ys, xs), np.float64)
    from_x = np.empty((ys, xs), np.int16)
    origin = np.empty((frames, ys, xs, 2), np.int16)
    for y in range(ys):
        for x in range(xs):
            jump = (y - start_y) ** 2 + (x - start_x) ** 2 if start_y >= 0 else 0
            value[y, x] = shares[0, y, x] - smoothness * jump
    for t in range(1, frames):
        _best_predecessors(value, smoothness, along, from_x, reached, origin[t])
        for y in range(ys):
            for x in range(xs):
                value[y, x] = reached[y, x] + shares[t, y, x]
    y, x = _first_largest(value)
    for t in range(frames - 1, -1, -1):
        corner[t, 0] = y
        corner[t, 1] = x
        if t > 0:
            y, x = origin[t, y, x, 0], origin[t, y, x, 1]


@kernel
def _best_predecessors(
    value: Float64,
    smoothness: float,
    along: Float64,
    from_x: NDArray[np.int16],
    reached: Float64,
    origin: NDArray[np.int16],
) -> None:
    """For every place, the best ``value[p] - smoothness * |p - place|^2`` and the p it comes from."""
    ys, xs = value.shape
    for y in range(ys):
        for x in range(xs):
            best = value[y, 0] - smoothness * x * x
            best_x = 0
            for p in range(1, xs):
                candidate = value[y, p] - smoothness * (x - p) * (x - p)
                if candidate > best:
                    best, best_x = candidate, p
            along[y, x] = best
            from_x[y, x] = best_x
    for y in range(ys):
        for x in range(xs):
            best = along[0, x] - smoothness * y * y
            best_y = 0
            for p in range(1, ys):
                candidate = along[p, x] - smoothness * (y - p) * (y - p)
                if candidate > best:
                    best, best_y = candidate, p
            reached[y, x] = best
            origin[y, x, 0] = best_y
            origin[y, x, 1] = from_x[best_y, x]


@kernel
def _first_largest(value: Float64) -> tuple[int, int]:
    """Index of the largest value, the first of equals."""
    best_y = 0
    best_x = 0
    for y in range(value.shape[0]):
        for x in range(value.shape[1]):
            if value[y, x] > value[best_y, best_x]:
                best_y, best_x = y, x
    return best_y, best_x
