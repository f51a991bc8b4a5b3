"""Kernels that place many clips at once, against the slow twins of what they are made of."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mgmtool.kernels.guided import place_guided
from mgmtool.kernels.tokens import sample_clips
from support import twins

Array = NDArray[Any]


def scenes(cut: Array) -> list[slice]:
    """Runs of frames between cuts."""
    starts = [0, *(int(t) for t in np.flatnonzero(cut) if t > 0), len(cut)]
    return [slice(a, b) for a, b in itertools.pairwise(starts)]


def place_one(
    energy: Array, cut: Array, box: tuple[int, int], smoothness: float, start: tuple[int, int] | None
) -> tuple[Array, Array]:
    """Corners and fallback of one clip, scene by scene."""
    rows, cols = energy.shape[1:]
    corner, fallback = np.zeros((len(energy), 2), int), np.zeros(len(energy), bool)
    for scene in scenes(cut):
        found = [twins.box_shares(frame, *box) for frame in energy[scene]]
        before = start if scene.start == 0 and not cut[0] else None
        if any(moving for _, moving in found):
            corner[scene] = twins.best_path(np.stack([share for share, _ in found]), smoothness, before)
        else:
            corner[scene] = before or ((rows - box[0]) // 2, (cols - box[1]) // 2)
            fallback[scene] = before is None
    return corner, fallback


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.integers(1, 5)),
    seed=st.integers(0, 10_000),
    smoothness=st.sampled_from([0.0, 0.013, 0.2]),
    starts=st.booleans(),
)
def test_many_clips_match_the_twins(
    shape: tuple[int, int, int, int], seed: int, smoothness: float, starts: bool
) -> None:
    rng = np.random.default_rng(seed)
    clips, frames, rows, cols = shape
    energy = (rng.integers(0, 5, shape) * (rng.random((clips, frames, 1, 1)) < 0.7)).astype(np.float32)
    cut = rng.random((clips, frames)) < 0.3
    box = int(rng.integers(1, rows + 1)), int(rng.integers(1, cols + 1))
    start = (int(rng.integers(rows - box[0] + 1)), int(rng.integers(cols - box[1] + 1))) if starts else None
    masked = int(rng.integers(rows * cols + 1))
    corner, fallback, mask = (
        np.empty((clips, frames, 2), np.int16),
        np.empty((clips, frames), bool),
        np.empty(shape, bool),
    )
    costs = np.full(clips, smoothness)
    place_guided(energy, energy, cut, *box, masked, costs, *(start or (-1, -1)), corner, fallback, mask)
    for n in range(clips):
        expected, falls = place_one(energy[n], cut[n], box, smoothness, start)
        np.testing.assert_array_equal(fallback[n], falls)
        for scene in scenes(cut[n]):  # of equally good paths either may be taken, as rounding will have it
            before = start if scene.start == 0 and not cut[n, 0] else None
            shares = np.stack([twins.box_shares(frame, *box)[0] for frame in energy[n][scene]])
            worth = [twins.path_worth(shares, smoothness, before, path[scene]) for path in (corner[n], expected)]
            assert worth[0] == pytest.approx(worth[1], abs=1e-9)
        np.testing.assert_array_equal(mask[n], twins.box_tokens(energy[n], corner[n], *box, masked))
        assert (mask[n].sum(axis=(1, 2)) == masked).all()


def test_the_path_follows_what_a_prior_weighs() -> None:
    energy = np.zeros((1, 2, 4, 4), np.float32)
    energy[0, :, 0, 0], energy[0, :, 3, 3] = 2, 1
    weighed = energy.copy()
    weighed[0, :, 0, 0] = 0
    corner, fallback, mask = np.empty((1, 2, 2), np.int16), np.empty((1, 2), bool), np.empty(energy.shape, bool)
    cut = np.zeros((1, 2), bool)
    place_guided(energy, weighed, cut, 1, 1, 2, np.zeros(1), -1, -1, corner, fallback, mask)
    assert corner.tolist() == [[[3, 3], [3, 3]]]
    assert (mask.sum(axis=(2, 3)) == 2).all()


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 10_000),
)
def test_sampled_clips_are_means_over_the_frames_of_a_tubelet(shape: tuple[int, ...], seed: int) -> None:
    clips, tubelets, tubelet, rows, cols = shape
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 256, (clips, tubelets * tubelet, 5, 6)).astype(np.uint8)
    scale = rng.random((clips, tubelets * tubelet)).astype(np.float32)
    # Sixteenths are exact, so that kernel and twin look at the same cells.
    edges = [sorted(rng.choice(17, 2, replace=False).tolist()) for _ in range(2 * clips)]
    crops = np.array([[y[0], x[0], y[1], x[1]] for y, x in zip(edges[::2], edges[1::2], strict=True)]) / 16
    hflip = rng.random(clips) < 0.5
    out = np.full((clips, tubelets, rows, cols), 9, np.float32)
    sample_clips(levels, scale, crops, hflip, out)
    for n in range(clips):
        crop: Any = tuple(Fraction(value) for value in crops[n].tolist())
        if any(point.denominator == 1 for side in (crop[::2], crop[1::2]) for point in points(side, (rows, cols))):
            continue  # a point on the line between two cells may be rounded to either
        frames = twins.sample_tokens(levels[n], scale[n], crop, bool(hflip[n]), (rows, cols))
        expected = frames.reshape(tubelets, tubelet, rows, cols).mean(axis=1)
        np.testing.assert_allclose(out[n], expected, rtol=1e-5, atol=1e-6)


def points(side: tuple[Fraction, Fraction], shape: tuple[int, int]) -> list[Fraction]:
    return [
        point
        for tokens in shape
        for cells in (5, 6)
        for row in twins.token_points(*side, tokens, cells)
        for point in row
    ]
