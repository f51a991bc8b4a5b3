"""Residual motion to energy, energy over time, energy on another grid."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@kernel
def saturating_energy(residual: Float32, sigma: float, c: float, border: int, energy: Float32) -> None:
    """Energy of residual motion: ``log(1 + (r / (c sigma))^2)``, zero in the outer cells.

    Free of scale: all vectors times three give the same energy, so the unknown distance of a reference does not matter.

    Parameters
    ----------
    residual : float32 (rows, cols)
        Pixels, >= 0.
    sigma : float
        Noise around the camera motion, pixels, > 0.
    c : float
        Multiple of the noise at which energy starts to saturate, > 0.
    border : int
        Cells along each side that are set to zero; at least one cell is always left.
    energy : float32 (rows, cols)
        Overwritten.
    """
    rows, cols = residual.shape
    edge_y = max(0, min(border, (rows - 1) // 2))
    edge_x = max(0, min(border, (cols - 1) // 2))
    inverse = np.float64(1.0 / (c * sigma))  # a Python float would let r become float32 without the compiler
    energy[:] = 0.0
    for row in range(edge_y, rows - edge_y):
        for col in range(edge_x, cols - edge_x):
            r = residual[row, col] * inverse
            energy[row, col] = math.log(1.0 + r * r)


@kernel
def lower_to(bound: Float32, factor: float, values: Float32) -> None:
    """Replace values by ``factor * bound`` where that is less, in place.

    Parameters
    ----------
    bound, values : float32 (rows, cols)
        >= 0; the bound may be infinite.
    factor : float
        > 0.
    """
    rows, cols = values.shape
    scale = np.float32(factor)
    for row in range(rows):
        for col in range(cols):
            values[row, col] = min(values[row, col], scale * bound[row, col])


@kernel
def pool(energy: Float32, valid: NDArray[np.bool_], centre: int, half: int, pooled: Float32) -> bool:
    """Triangular mean over neighbouring frames.

    Weights 1 2 .. k+1 .. 2 1 for ``half`` = k frames on each side, over the valid ones only, so frames without vectors are filled
    from their neighbours.

    Parameters
    ----------
    energy : float32 (n, rows, cols)
        Energy of consecutive frames.
    valid : bool (n,)
        Which of them count.
    centre, half : int
        The frame in the middle, 0..n-1, and how many on each side of it; those before the first and after the last do not count.
    pooled : float32 (rows, cols)
        Overwritten; zero where no frame counts.

    Returns
    -------
    bool
        Whether any frame counted.
    """
    rows, cols = pooled.shape
    first, stop = max(centre - half, 0), min(centre + half + 1, energy.shape[0])
    total = 0.0
    for k in range(first, stop):
        if valid[k]:
            total += half + 1 - abs(k - centre)
    pooled[:] = 0.0
    if total == 0.0:
        return False
    for k in range(first, stop):
        if valid[k]:
            weight = np.float32((half + 1 - abs(k - centre)) / total)
            for row in range(rows):
                for col in range(cols):
                    pooled[row, col] += weight * energy[k, row, col]
    return True


@kernel
def resample_mean(values: Float32, cell: int, height: int, width: int, line: Float32, out: Float32) -> None:
    """Area mean of a cell grid on a grid that divides the picture evenly.

    Parameters
    ----------
    values : float32 (rows, cols)
        One value per square cell; cells start at the top left and the last ones are cut by the picture.
    cell : int
        Side of a cell in pixels.
    height, width : int
        Picture, pixels; 0 < height <= rows * cell, likewise width.
    line : float32 (cols,)
        Scratch.
    out : float32 (out_rows, out_cols)
        Overwritten; rectangle (i, j) covers the shares i/out_rows..(i+1)/out_rows and j/out_cols..(j+1)/out_cols of the picture.
    """
    cols = values.shape[1]
    out_rows, out_cols = out.shape
    step_y = height / out_rows
    step_x = width / out_cols
    for i in range(out_rows):
        top = i * step_y
        bottom = min((i + 1) * step_y, height)
        line[:] = 0.0
        for row in range(int(top / cell), min(math.ceil(bottom / cell), values.shape[0])):
            high = np.float32(min(bottom, (row + 1) * cell) - max(top, row * cell))
            for col in range(cols):
                line[col] += high * values[row, col]
        for j in range(out_cols):
            left = j * step_x
            right = min((j + 1) * step_x, width)
            total = 0.0
            for col in range(int(left / cell), min(math.ceil(right / cell), cols)):
                total += np.float64(line[col]) * (min(right, (col + 1) * cell) - max(left, col * cell))
            out[i, j] = total / (step_y * step_x)


@kernel
def resample_max(values: Float32, cell: int, height: int, width: int, out: Float32) -> None:
    """Largest value of the cells each rectangle of an even grid overlaps; parameters as :func:`resample_mean`."""
    out_rows, out_cols = out.shape
    # In whole numbers: a rounded edge would take in a cell that only touches the rectangle.
    for i in range(out_rows):
        row0 = i * height // (out_rows * cell)
        row1 = min(((i + 1) * height - 1) // (out_rows * cell) + 1, values.shape[0])
        for j in range(out_cols):
            col0 = j * width // (out_cols * cell)
            col1 = min(((j + 1) * width - 1) // (out_cols * cell) + 1, values.shape[1])
            largest = np.float32(0.0)
            for row in range(row0, row1):
                for col in range(col0, col1):
                    largest = max(largest, values[row, col])
            out[i, j] = largest


@kernel
def quantise(values: Float32, levels: NDArray[np.uint8]) -> float:
    """Store values >= 0 as 8 bits with one scale.

    Parameters
    ----------
    values : float32 (rows, cols)
        >= 0 and finite.
    levels : uint8 (rows, cols)
        Overwritten: ``round(values / scale)``, halves up.

    Returns
    -------
    float
        The scale, exactly a float32: largest value / 255, or 0 where every value is below 1e-12.
    """
    rows, cols = values.shape
    largest = np.float32(0.0)
    for row in range(rows):
        for col in range(cols):
            largest = max(largest, values[row, col])
    levels[:] = 0
    if np.float64(largest) < 1e-12:
        return 0.0
    scale = np.float64(np.float32(largest / np.float32(255.0)))
    for row in range(rows):
        for col in range(cols):
            levels[row, col] = np.uint8(min(values[row, col] / scale + 0.5, 255.0))
    return float(scale)
