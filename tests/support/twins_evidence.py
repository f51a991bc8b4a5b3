"""Slow twins of the kernels that weigh evidence of motion: pictures, the border of the frame, colours.

As in :mod:`twins`: the definition in each kernel's docstring, in plain Python and NumPy, in float64, with no loop of the
kernel in it. Pictures are read through tents around every sample, blocks are medians of NumPy, colours are counted by
``numpy.bincount``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

UNITS = 2**20
LUMA_BINS, CHROMA_BINS = 8, 48
COLOURS = LUMA_BINS * CHROMA_BINS**2


def axis(cells: Array, n: int) -> Array:
    """Cell coordinates on a scale of -1 at the first of n cells to 1 at the last; 0 where there is but one."""
    return 2 * np.asarray(cells, np.float64) / (n - 1) - 1 if n > 1 else np.zeros(np.shape(cells))


def affine(theta: Array, rows: Array, cols: Array, shape: tuple[int, int]) -> Array:
    """Camera motion (dy, dx) at all pairs of cell coordinates."""
    y, x = np.meshgrid(axis(rows, shape[0]), axis(cols, shape[1]), indexing="ij")
    return np.stack([np.ones_like(x), x, y], axis=-1) @ theta.astype(np.float64).T


def origins(theta: Array, spacing: float, shape: tuple[int, int]) -> Array:
    """Where the camera saw each sample in the other picture, (y, x) in samples; samples lie a quarter off the cell's middle."""
    rows, cols = (np.arange(2 * n) / 2 - 0.25 for n in shape)
    here = np.stack(np.meshgrid(*(np.arange(2 * n) for n in shape), indexing="ij"), axis=-1)
    return np.asarray(here - affine(theta, rows, cols, shape) / spacing)


def normal_flow(before: Array, after: Array, theta: Array, spacing: float, shape: tuple[int, int]) -> Array:
    """Sums over arrays of the products and squares of all samples, four to a cell."""
    places = origins(theta, spacing, shape)
    with np.errstate(invalid="ignore"):
        counts = ((places >= 0) & (places <= np.array(before.shape) - 1)).all(axis=-1)
    places[~counts] = 0
    change = np.abs(after - _through_tents(before.astype(np.float64), places)) * counts
    wider = np.pad(after.astype(np.float64), 1, "edge")
    slopes = (wider[2:, 1:-1] - wider[:-2, 1:-1]) / 2, (wider[1:-1, 2:] - wider[1:-1, :-2]) / 2
    gradient = np.hypot(*slopes) * counts
    n = _per_cell(counts)
    flow = np.full(shape, np.inf)
    flow[n > 0] = (spacing * _per_cell(change * gradient) / (_per_cell(gradient**2) + n * 16 + (n == 0)))[n > 0]
    return flow


def _through_tents(picture: Array, places: Array) -> Array:
    """Bilinear value at every place: each sample counts by how near it is, down to nothing at the next one."""
    tents = [np.maximum(0, 1 - np.abs(places[..., k, None] - np.arange(n))) for k, n in enumerate(picture.shape)]
    return np.einsum("abi,abj,ij->ab", *tents, picture)


def _per_cell(samples: Array) -> Array:
    rows, cols = (n // 2 for n in samples.shape)
    return samples.reshape(rows, 2, cols, 2).sum(axis=(1, 3), dtype=np.float64)


def residual_motion(displacement: Array, coverage: Array, theta: Array) -> Array:
    """Displacement minus camera, by one product of matrices."""
    camera = affine(theta, *(np.arange(n) for n in coverage.shape), coverage.shape)  # type: ignore[misc]
    return np.where(coverage[..., None] > 0, displacement.astype(np.float64) - camera, 0)


def explain_by_border(motion: Array, coverage: Array, along: int, deep: int, residual: Array) -> Array:
    """Flip and transpose the frame so that each side is on top once, and put the four profiles together again."""
    vectors = motion.astype(np.float64)
    middles, profiles, weights = [], [], []
    for transpose, flip in itertools.product((False, True), repeat=2):
        blocks = block_medians(*(_on_top(a, transpose, flip)[:deep] for a in (vectors, coverage)), along)
        middles.append(np.median(blocks, axis=0))
        for spread, kept in zip(
            _spread(blocks, _on_top(coverage, transpose, flip).shape), (profiles, weights), strict=True
        ):
            upright = spread[::-1] if flip else spread
            kept.append(upright.swapaxes(0, 1) if transpose else upright)
    near = np.stack(weights)[..., None]
    between = (np.stack(profiles) * near).sum(axis=0) / near.sum(axis=0)
    explained = [*(segment_distance(vectors, m) for m in middles), segment_distance(vectors, 1.5 * between)]
    return np.where(coverage > 0, np.minimum(residual, np.min(explained, axis=0)), residual)


def _on_top(values: Array, transpose: bool, flip: bool) -> Array:
    turned = values.swapaxes(0, 1) if transpose else values
    return turned[::-1] if flip else turned


def block_medians(motion: Array, coverage: Array, along: int) -> Array:
    """Median motion of the blocks of the top, as many as fit best; 0 where at most four cells are covered."""
    n = motion.shape[1]
    count = max(1, math.floor(Fraction(n, along) + Fraction(1, 2)))
    edges = [math.floor(Fraction(n * k, count)) for k in range(count + 1)]
    blocks = []
    for first, last in itertools.pairwise(edges):
        covered = motion[:, first:last][coverage[:, first:last] > 0]
        blocks.append(np.median(covered, axis=0) if len(covered) > 4 else np.zeros(2))
    return np.array(blocks)


def _spread(blocks: Array, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Motion of the top at every column of the frame, and how much it counts at every row."""
    rows, cols = shape
    middles = (np.arange(len(blocks)) + 0.5) / len(blocks)
    line = np.stack([np.interp((np.arange(cols) + 0.5) / cols, middles, component) for component in blocks.T], axis=-1)
    nearness = 1 / ((np.arange(rows) + 0.5) / rows + 0.02)
    return np.broadcast_to(line, (rows, cols, 2)), np.broadcast_to(nearness[:, None], (rows, cols))


def segment_distance(points: Array, end: Array) -> Array:
    """Distance from a segment that starts at 0: from its ends, or at a right angle where that meets the segment."""
    end = np.broadcast_to(end, points.shape)
    to_start, to_end = np.hypot(*np.moveaxis(points, -1, 0)), np.hypot(*np.moveaxis(points - end, -1, 0))
    length = np.hypot(*np.moveaxis(end, -1, 0))
    beside = ((points * end).sum(axis=-1) > 0) & (((end - points) * end).sum(axis=-1) > 0)
    area = np.abs(points[..., 0] * end[..., 1] - points[..., 1] * end[..., 0])
    return np.where(beside, area / np.where(length > 0, length, 1), np.minimum(to_start, to_end))


def blur(values: Array, sigma: float) -> Array:
    """Weighted mean over all pairs of cells, for each cell at once over both directions."""
    reach = math.ceil(3 * sigma)
    blurred = np.zeros(values.shape)
    for row, col in np.ndindex(values.shape):
        total = weights = 0.0
        for r, c in np.ndindex(values.shape):
            if max(abs(r - row), abs(c - col)) <= reach:
                squared = (r - row) ** 2 + (c - col) ** 2
                weight = math.exp(-squared / (2 * sigma**2)) if squared else 1.0
                total += weight * float(values[r, c])
                weights += weight
        blurred[row, col] = total / weights
    return blurred


def colour_bins(luma: Array, chroma: Array) -> Array:
    """Edges between colours, and how many of them lie below each cell."""
    light = _per_cell(luma.astype(np.float64)) / 4
    parts = [np.digitize(light, np.arange(1, LUMA_BINS) * 256 / LUMA_BINS)]
    edges = 128 + np.arange(1 - CHROMA_BINS // 2, CHROMA_BINS // 2)
    parts += [np.digitize(plane.astype(np.float64), edges) for plane in chroma]
    return np.asarray(np.ravel_multi_index(tuple(parts), (LUMA_BINS, CHROMA_BINS, CHROMA_BINS)))


class Seen(NamedTuple):
    """What the colour model knows of a frame."""

    energy: Array
    bins: Array
    edge: int

    @property
    def inner(self) -> Array:
        """Cells that are not border."""
        ring = np.zeros(self.bins.shape, bool)
        ring[peel(self.bins.shape[0], self.edge), peel(self.bins.shape[1], self.edge)] = True
        return ring


def peel(n: int, edge: int) -> slice:
    """What is left of n cells without those at both ends."""
    return slice(edge, max(edge, n - edge))


def colour_table(frames: Sequence[Seen]) -> Array:
    """Per colour: energy in whole units, cells, inner cells."""
    table = np.zeros((COLOURS, 3), np.int64)
    for frame in frames:
        colours = frame.bins.ravel()
        units = [math.floor(Fraction(float(q)) * UNITS + Fraction(1, 2)) for q in frame.energy.ravel()]
        for k, column in enumerate((np.array(units), np.ones(len(colours)), frame.inner.ravel())):
            table[:, k] += np.rint(np.bincount(colours, column, COLOURS)).astype(np.int64)
    return table


def chroma_values(frames: Sequence[Seen]) -> Iterator[Array]:
    """Bins of Cb, then of Cr, of all cells."""
    colours = np.concatenate([frame.bins.ravel() for frame in frames]) if frames else np.zeros(0, int)
    _, blue, red = np.unravel_index(colours, (LUMA_BINS, CHROMA_BINS, CHROMA_BINS))
    yield from (blue, red)


def colour_totals(frames: Sequence[Seen]) -> list[int]:
    """Sums of the table, and moments of the chroma."""
    return [*colour_table(frames).sum(axis=0).tolist(), *moments(chroma_values(frames))]


def moments(values: Iterable[Array]) -> list[int]:
    """Sum and sum of squares of each array."""
    return [int((v.astype(int) ** power).sum()) for v in values for power in (1, 2)]


def is_grey(frames: Sequence[Seen]) -> bool:
    """Whether both standard deviations are below 2."""
    return all(not len(values) or float(values.std()) < 2 for values in chroma_values(frames))


def weigh_by_colour(energy: Array, bins: Array, border: int, frames: Sequence[Seen]) -> Array:
    """Look each cell's colour up in a dictionary of the frames' colours."""
    likeness = dict.fromkeys(np.unique(bins).tolist(), 1.0)
    if not is_grey(frames):
        counts = colour_table(frames).astype(np.float64)
        units, cells, inner = counts.sum(axis=0)
        likeness = {colour: _likeness(counts[colour], units / cells, inner / cells) for colour in likeness}
    weighed = np.zeros(energy.shape)
    for row, col in itertools.product(*(_kept(n, border) for n in energy.shape)):
        weighed[row, col] = float(energy[row, col]) ** 0.75 * likeness[int(bins[row, col])] ** 1.5
    return weighed


def _likeness(counts: Array, mean: float, share: float) -> float:
    moves = _shrunk(counts[0], counts[1], mean, 0.25)
    inside = _shrunk(counts[2], counts[1], share, 2.5)
    return moves * inside


def _shrunk(total: float, cells: float, overall: float, weight: float) -> float:
    """Mean of a colour over the overall mean, as if some more cells had had the overall mean."""
    return (total + weight * overall) / (cells + weight) / overall if overall > 0 else 1.0


def _kept(n: int, border: int) -> range:
    """Cells inside the border, of which one or two are always left."""
    edge = min(border, (n - 1) // 2)
    return range(edge, n - edge)


def mean_rows(
    plane: Array,
    width: int,
    offset: tuple[int, int],
    shift: tuple[int, int],
    step: int,
    unit: float,
    shape: tuple[int, int],
) -> Array:
    """Sort the samples of the rows that count of each rectangle into lists and average those."""
    high, wide = (1 << s for s in shift)
    means = np.zeros(shape)
    for row, col in np.ndindex(shape):
        ys = [y for y in range(row * high - offset[0], (row + 1) * high - offset[0]) if 0 <= y < len(plane)]
        xs = [x for x in range(col * wide - offset[1], (col + 1) * wide - offset[1]) if 0 <= x < width]
        samples = [int(plane[y, x]) for y in ys[::step] for x in xs]
        means[row, col] = unit * sum(samples) / len(samples) if samples else 0.0
    return means


def best_correlation(before: Array, after: Array, reach_y: int, reach_x: int) -> float:
    """Correlation of NumPy of what overlaps, for every shift."""
    found = []
    for dy, dx in itertools.product(range(-reach_y, reach_y + 1), range(-reach_x, reach_x + 1)):
        a, b = shifted(before, dy, dx), shifted(after, -dy, -dx)
        flat = min(a.var(), b.var()) < 1
        found.append(0.0 if flat else float(np.corrcoef(a.ravel(), b.ravel())[0, 1]))
    return max(found)


def shifted(picture: Array, dy: int, dx: int) -> Array:
    """What remains of a picture in the frame when it moves, in float64."""
    high, wide = picture.shape
    return picture[max(0, -dy) : high - max(0, dy), max(0, -dx) : wide - max(0, dx)].astype(np.float64)
