"""Slow twins of the kernels: the definition in each kernel's docstring, in plain Python and NumPy, in float64.

A twin returns what its kernel writes. None shares a loop with its kernel: fields are painted pixel by pixel, fits are
left to ``numpy.linalg``, paths are enumerated, choices are sorted by an explicit key.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Place = tuple[int, int]

RIDGE = 1e-6
"""Added per cell to the diagonal of the camera fit, so that cells on one line have a solution; in no docstring."""


def motion_field(
    vectors: Array, height: int, width: int, offset_y: int, offset_x: int, shift: int, shape: tuple[int, int]
) -> tuple[Array, Array, float]:
    """Paint every block on the pixels and average over cells; a pixel painted twice counts twice, up to a full cell."""
    cell = 1 << shift
    y = np.arange(shape[0] * cell) - offset_y
    x = np.arange(shape[1] * cell) - offset_x
    inside = np.outer((y >= 0) & (y < height), (x >= 0) & (x < width))
    painted = np.zeros(inside.shape)
    motion = np.zeros((*inside.shape, 2))
    for v in vectors:
        source, scale, w, h = (int(v[name]) for name in ("source", "motion_scale", "w", "h"))
        if source == 0 or scale == 0:
            continue
        top, left = int(v["dst_y"]) - h // 2, int(v["dst_x"]) - w // 2
        block = inside & np.outer((y >= top) & (y < top + h), (x >= left) & (x < left + w))
        towards = -1 if source < 0 else 1
        painted += block
        motion[block] += [towards * int(v["motion_y"]) / scale, towards * int(v["motion_x"]) / scale]
    pixels, weight = _per_cell(inside, cell), _per_cell(painted, cell)
    displacement = np.stack([_per_cell(motion[..., k], cell) for k in range(2)], axis=-1)
    displacement /= np.maximum(weight, 1)[..., None]
    coverage = np.minimum(weight / np.maximum(pixels, 1), 1)
    return displacement, coverage, float(coverage.mean())


def _per_cell(pixels: Array, cell: int) -> Array:
    rows, cols = (n // cell for n in pixels.shape)
    return pixels.reshape(rows, cell, cols, cell).sum(axis=(1, 3), dtype=np.float64)


def mean_luma(
    plane: Array, width: int, offset_y: int, offset_x: int, shift: int, unit: float, shape: tuple[int, int]
) -> Array:
    """Put the picture on a canvas of not-a-number and average what is a number in each square."""
    side = 1 << shift
    bottom, right = offset_y + plane.shape[0], offset_x + width
    canvas = np.full((max(bottom, shape[0] * side), max(right, shape[1] * side)), np.nan)
    canvas[offset_y:bottom, offset_x:right] = plane[:, :width]
    luma = np.zeros(shape)
    for row, col in np.ndindex(shape):
        square = canvas[row * side : (row + 1) * side, col * side : (col + 1) * side]
        pixels = square[~np.isnan(square)]
        luma[row, col] = pixels.mean() * unit if pixels.size else 0.0
    return luma


def picture_change(before: Array, after: Array) -> tuple[float, float]:
    """Mean absolute difference, and the correlation of NumPy where neither picture is flat."""
    a, b = before.astype(np.float64), after.astype(np.float64)
    difference = float(np.abs(a - b).mean())
    flat = [bool(picture.var() < 1) for picture in (a, b)]
    if any(flat):
        return difference, float(all(flat))
    return difference, float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def median(values: Array) -> float:
    """Median in float64, where the mean of two float32 is rounded once."""
    return float(np.median(values.astype(np.float64))) if values.size else 0.0


def fit_camera(displacement: Array, coverage: Array, sigma_min: float) -> tuple[Array, Array, float]:
    """Reweighted least squares on the covered cells; the ridge enters as three more rows that ask for zero."""
    covered = coverage > 0
    x, y = np.meshgrid(_axis(coverage.shape[1]), _axis(coverage.shape[0]))
    design = np.stack([np.ones_like(x), x, y], axis=-1)[covered]
    v = displacement.astype(np.float64)[covered]
    theta = np.zeros((2, 3))
    theta[:, 0] = [median(v[:, k]) for k in range(2)]
    r, sigma = _residuals(design, v, theta, sigma_min)
    if len(v) >= 16:
        for _ in range(4):
            weight = np.sqrt(coverage[covered] / (1 + (r / (2 * sigma)) ** 2))[:, None]
            system = np.concatenate([weight * design, np.sqrt(RIDGE * len(v)) * np.eye(3)])
            target = np.concatenate([weight * v, np.zeros((3, 2))])
            theta = np.linalg.lstsq(system, target, rcond=None)[0].T
            r, sigma = _residuals(design, v, theta, sigma_min)
    residual = np.zeros(coverage.shape)
    residual[covered] = r
    return theta, residual, sigma


def _axis(n: int) -> Array:
    return np.linspace(-1.0, 1.0, n) if n > 1 else np.zeros(1)


def _residuals(design: Array, v: Array, theta: Array, sigma_min: float) -> tuple[Array, float]:
    r = np.hypot(*(v - design @ theta.T).T)
    return r, max(median(r) / 1.1774, sigma_min)


def saturating_energy(residual: Array, sigma: float, c: float, border: int) -> Array:
    """Energy of the cells that are left after peeling the border, one ring at a time, down to one cell or two."""
    rows, cols = (_peel(n, border) for n in residual.shape)
    energy = np.zeros(residual.shape)
    energy[np.ix_(rows, cols)] = np.log1p((residual[np.ix_(rows, cols)].astype(np.float64) / (c * sigma)) ** 2)
    return energy


def _peel(n: int, border: int) -> list[int]:
    kept = list(range(n))
    for _ in range(border):
        kept = kept[1:-1] if len(kept) > 2 else kept
    return kept


def pool(window: Array, valid: Array) -> tuple[Array, bool]:
    """Average with the weights of a box convolved with itself."""
    side = np.ones(len(window) // 2 + 1)
    weights = np.convolve(side, side)[valid]
    if not weights.size:
        return np.zeros(window.shape[1:]), False
    return np.average(window[valid].astype(np.float64), axis=0, weights=weights), True


def resample_mean(values: Array, cell: int, height: int, width: int, shape: tuple[int, int]) -> Array:
    """Mean over sub-pixels so small that each lies in one rectangle."""
    return _subpixels(values.astype(np.float64), cell, height, width, shape).mean(axis=(1, 3))


def resample_max(values: Array, cell: int, height: int, width: int, shape: tuple[int, int]) -> Array:
    """Maximum over sub-pixels so small that each lies in one rectangle."""
    return _subpixels(values, cell, height, width, shape).max(axis=(1, 3))


def _subpixels(values: Array, cell: int, height: int, width: int, shape: tuple[int, int]) -> Array:
    pixels = values.repeat(cell, 0).repeat(cell, 1)[:height, :width]
    return pixels.repeat(shape[0], 0).repeat(shape[1], 1).reshape(shape[0], height, shape[1], width)


def quantise(values: Array) -> tuple[Array, float]:
    """Levels by ``floor(v / scale + 1/2)``, which rounds halves up."""
    largest = values.max()
    if float(largest) < 1e-12:
        return np.zeros(values.shape, np.uint8), 0.0
    scale = float(np.float32(largest / np.float32(255)))
    return np.minimum(np.floor(values.astype(np.float64) / scale + 0.5), 255).astype(np.uint8), scale


def token_points(first: Fraction, last: Fraction, tokens: int, cells: int) -> list[list[Fraction]]:
    """Where the four sample points of each token lie, in cells."""
    points = [(first + (last - first) * Fraction(2 * i + 1, 8 * tokens)) * cells for i in range(4 * tokens)]
    return [points[4 * i : 4 * i + 4] for i in range(tokens)]


def sample_tokens(
    levels: Array,
    scale: Array,
    crop: tuple[Fraction, Fraction, Fraction, Fraction],
    hflip: bool,
    shape: tuple[int, int],
) -> Array:
    """Mean of the cells under the sample points of each token, in exact fractions up to the choice of the cells."""
    _, grid_rows, grid_cols = levels.shape
    top, left, bottom, right = crop
    out = np.zeros((len(levels), *shape))
    rows = [_cells(points, grid_rows) for points in token_points(top, bottom, shape[0], grid_rows)]
    cols = [_cells(points, grid_cols) for points in token_points(left, right, shape[1], grid_cols)]
    for row, col in np.ndindex(shape):
        out[:, row, col] = levels[:, rows[row], :][:, :, cols[col]].mean(axis=(1, 2)) * scale
    return out[:, :, ::-1] if hflip else out


def _cells(points: Iterable[Fraction], cells: int) -> list[int]:
    return [int(np.clip(point // 1, 0, cells - 1)) for point in points]


def box_tokens(energy: Array, corner: Array, box_rows: int, box_cols: int, masked: int) -> Array:
    """Sort the tokens outside, or inside, by distance, energy and index, and take the first of them."""
    rows, cols = energy.shape[1:]
    high, wide = int(np.clip(box_rows, 1, rows)), int(np.clip(box_cols, 1, cols))
    missing = int(np.clip(masked, 0, rows * cols)) - high * wide
    mask = np.zeros(energy.shape, bool)
    for t, frame in enumerate(energy):
        y, x = int(np.clip(corner[t, 0], 0, rows - high)), int(np.clip(corner[t, 1], 0, cols - wide))
        mask[t, y : y + high, x : x + wide] = True
        # Rings around the box count up from 1 outside it and down from 0 inside, so one number is both distances.
        ring = {(r, c): max(y - r, r - (y + high - 1), x - c, c - (x + wide - 1)) for r, c in np.ndindex(rows, cols)}
        outside = sorted((p for p in ring if ring[p] > 0), key=lambda p: (ring[p], -frame[p], p))
        inside = sorted((p for p in ring if ring[p] <= 0), key=lambda p: (-ring[p], frame[p], p))
        for place in outside[: max(missing, 0)] + inside[: max(-missing, 0)]:
            mask[(t, *place)] ^= True
    return mask


def box_shares(energy: Array, box_rows: int, box_cols: int) -> tuple[Array, bool]:
    """Sum the cells of every box, one by one."""
    rows, cols = energy.shape
    exact = energy.astype(np.float64)
    shares = np.zeros((rows - box_rows + 1, cols - box_cols + 1))
    if exact.sum() < 1e-12:
        return shares, False
    for y, x in np.ndindex(shares.shape):
        shares[y, x] = exact[y : y + box_rows, x : x + box_cols].sum() / exact.sum()
    return shares, True


def path_worth(shares: Array, smoothness: float, start: Place | None, path: Iterable[Place]) -> float:
    """Objective of a path: what it collects minus what its jumps cost."""
    places = [(int(y), int(x)) for y, x in path]
    steps = itertools.pairwise(places if start is None else [start, *places])
    jumps = sum((y - v) ** 2 + (x - u) ** 2 for (v, u), (y, x) in steps)
    return float(sum(shares[t, y, x] for t, (y, x) in enumerate(places))) - smoothness * jumps


def best_path_enumerated(shares: Array, smoothness: float, start: Place | None) -> list[Place]:
    """The best of all paths; of equals, the one whose last place comes first, then whose last but one does."""
    frames, ys, xs = shares.shape
    paths = itertools.product(np.ndindex(ys, xs), repeat=frames)
    return list(min(paths, key=lambda p: (-path_worth(shares, smoothness, start, p), p[::-1])))


def best_path(shares: Array, smoothness: float, start: Place | None) -> list[Place]:
    """Dynamic programming over all pairs of places; ``argmax`` takes the first of equals."""
    frames, ys, xs = shares.shape
    places = np.array(list(np.ndindex(ys, xs)))
    cost = smoothness * ((places[:, None] - places[None]) ** 2).sum(axis=-1)
    worth = shares.reshape(frames, -1)
    value = worth[0] - (0 if start is None else smoothness * ((places - start) ** 2).sum(axis=-1))
    choices = []
    for t in range(1, frames):
        candidates = value[None, :] - cost
        choices.append(candidates.argmax(axis=1))
        value = candidates.max(axis=1) + worth[t]
    path = [int(value.argmax())]
    for choice in reversed(choices):
        path.append(int(choice[path[-1]]))
    return [(int(y), int(x)) for y, x in places[path[::-1]]]


def mean_flow(flow: Array, offset_y: int, offset_x: int, shift: int, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Put the flow on a canvas of not-a-number, cut it into cells and average what is a number in each."""
    cell = 1 << shift
    bottom, right = offset_y + flow.shape[0], offset_x + flow.shape[1]
    canvas = np.full((max(bottom, shape[0] * cell), max(right, shape[1] * cell), 2), np.nan)
    canvas[offset_y:bottom, offset_x:right] = flow[..., ::-1]
    displacement, coverage = np.zeros((*shape, 2)), np.zeros(shape)
    for row, col in np.ndindex(shape):
        inside = canvas[row * cell : (row + 1) * cell, col * cell : (col + 1) * cell].reshape(-1, 2)
        inside = inside[~np.isnan(inside[:, 0])]
        if len(inside):
            displacement[row, col], coverage[row, col] = -inside.mean(axis=0), 1
    return displacement, coverage
