"""Shares of energy inside a box, and the smoothest rewarding path of the box, which is exactly optimal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mgmtool.kernels.boxes import best_path, box_shares
from support import twins

Array = NDArray[Any]
Place = tuple[int, int]


def shares_of(energy: Array, box_rows: int, box_cols: int) -> tuple[Array, bool]:
    rows, cols = energy.shape
    table = np.full((rows + 1, cols + 1), np.nan)
    shares = np.full((rows - box_rows + 1, cols - box_cols + 1), np.nan)
    return shares, box_shares(energy, box_rows, box_cols, table, shares)


def test_shares_by_hand() -> None:
    energy = np.array([[1, 2, 0], [0, 3, 4]], np.float32)
    shares, any_energy = shares_of(energy, 1, 2)
    assert any_energy
    np.testing.assert_array_equal(shares, np.array([[3, 2], [3, 7]]) / 10)
    np.testing.assert_array_equal(shares_of(energy, 2, 1)[0], np.array([[1, 5, 4]]) / 10)
    np.testing.assert_array_equal(shares_of(energy, 2, 3)[0], [[1.0]])
    np.testing.assert_array_equal(shares_of(energy, 1, 1)[0], energy.astype(np.float64) / 10)


@pytest.mark.parametrize(
    ("value", "any_energy"),
    [
        pytest.param(0.0, False, id="none"),
        pytest.param(2e-13, False, id="next-to-none"),
        pytest.param(3e-13, True, id="hardly-any"),
        pytest.param(3e38, True, id="more-than-float32-adds-up-to"),
    ],
)
def test_frames_without_energy_have_no_shares(value: float, any_energy: bool) -> None:
    shares, found = shares_of(np.full((2, 2), value, np.float32), 1, 2)
    assert found == any_energy
    np.testing.assert_allclose(shares, 0.5 if any_energy else 0.0, rtol=1e-15)


def test_shares_are_summed_in_float64() -> None:
    energy = np.ones((1, 9), np.float32)
    energy[0, 0] = 2.0**24  # in float32 the ones behind it are lost
    assert shares_of(energy, 1, 4)[0][0, 5] == 4 / (2.0**24 + 8)


@st.composite
def energies(draw: st.DrawFn, elements: st.SearchStrategy[float]) -> tuple[Array, int, int]:
    rows, cols = draw(st.tuples(st.integers(1, 10), st.integers(1, 10)))
    return (
        draw(arrays(np.float32, (rows, cols), elements=elements)),
        draw(st.integers(1, rows)),
        draw(st.integers(1, cols)),
    )


@given(case=energies(st.floats(0, 1e6, width=32)))
def test_any_shares_match_the_sums(case: tuple[Array, int, int]) -> None:
    shares, any_energy = shares_of(*case)
    expected, expected_any = twins.box_shares(*case)
    assert any_energy == expected_any
    # Differences of sums up to 1, each off by some 1e-16 per cell added.
    np.testing.assert_allclose(shares, expected, rtol=0, atol=1e-13)


@given(case=energies(st.integers(0, 1000).map(float)))
def test_shares_of_whole_numbers_are_exact(case: tuple[Array, int, int]) -> None:
    np.testing.assert_array_equal(shares_of(*case)[0], twins.box_shares(*case)[0])


# Paths.


def path_of(shares: Array, smoothness: float, start: Place | None = None) -> list[Place]:
    corner = np.full((len(shares), 2), 99, np.int16)
    best_path(shares, smoothness, *(start or (-1, -1)), corner)
    return [(int(y), int(x)) for y, x in corner]


def peaks(shape: tuple[int, int], *places: tuple[int, int, float]) -> Array:
    """One frame for each (y, x, worth), with nothing elsewhere."""
    shares = np.zeros((len(places), *shape))
    for t, (y, x, worth) in enumerate(places):
        shares[t, y, x] = worth
    return shares


def test_without_smoothness_each_frame_takes_its_peak() -> None:
    shares = peaks((3, 4), (0, 0, 1.0), (2, 3, 0.5), (1, 2, 0.25))
    assert path_of(shares, 0.0) == [(0, 0), (2, 3), (1, 2)]
    assert path_of(shares, 0.0, (2, 0)) == [(0, 0), (2, 3), (1, 2)]


@pytest.mark.parametrize("smoothness", [1e3, 1e18, 1e300])
def test_with_much_smoothness_the_path_stands_still(smoothness: float) -> None:
    shares = peaks((3, 4), (0, 0, 3.0), (2, 3, 2.0), (2, 3, 2.0), (1, 1, 1.0))
    assert path_of(shares, smoothness) == [(2, 3)] * 4
    assert path_of(shares, smoothness, (1, 2)) == [(1, 2)] * 4


def test_a_jump_is_made_when_it_pays() -> None:
    shares = peaks((1, 4), (0, 0, 4.0), (0, 2, 4.0))
    assert path_of(shares, 0.75) == [(0, 0), (0, 2)]  # 8 - 0.75 * 4 = 5 beats 4 and the half way, 4 - 0.75 * 1
    assert path_of(shares, 2.0)[0] == path_of(shares, 2.0)[1]


def test_a_long_way_is_gone_in_small_steps() -> None:
    # Squares: four steps of one cost 4, one jump of four costs 16.
    shares = peaks((1, 5), (0, 0, 20.0), (0, 0, 0.0), (0, 0, 0.0), (0, 0, 0.0), (0, 4, 20.0))
    assert path_of(shares, 1.0) == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)]


def test_the_start_pulls_the_first_place() -> None:
    shares = peaks((4, 5), (3, 4, 10.0))
    assert path_of(shares, 1.0) == [(3, 4)]
    assert path_of(shares, 1.0, (3, 2)) == [(3, 4)]  # 10 - 4
    assert path_of(shares, 1.0, (0, 0)) == [(0, 0)]  # 10 - 25 < 0
    assert path_of(shares, 1.0, (0, 4)) == [(3, 4)]  # 10 - 9
    assert path_of(shares, 1.25, (0, 4)) == [(0, 4)]


@pytest.mark.parametrize(
    ("shares", "smoothness", "expected"),
    [
        pytest.param(np.zeros((3, 2, 3)), 0.0, [(0, 0)] * 3, id="all-alike"),
        pytest.param(np.zeros((3, 2, 3)), 1.0, [(0, 0)] * 3, id="all-alike-and-smooth"),
        pytest.param(np.array([[[0.0, 1, 1]], [[1, 1, 0]]]), 0.0, [(0, 1), (0, 0)], id="peaks-alike"),
        pytest.param(np.array([[[0.0, 1], [1, 0]]]), 0.0, [(0, 1)], id="row-before-column"),
        pytest.param(peaks((1, 2), (0, 0, 1.0), (0, 1, 1.0)), 1.0, [(0, 0), (0, 0)], id="jump-or-stay"),
        pytest.param(peaks((1, 3), (0, 2, 1.0), (0, 0, 1.0)), 1.0, [(0, 0), (0, 0)], id="stay-at-the-smaller"),
    ],
)
def test_ties_go_to_the_smallest_index(shares: Array, smoothness: float, expected: list[Place]) -> None:
    assert path_of(shares, smoothness) == expected


def test_no_frames_no_path() -> None:
    assert path_of(np.zeros((0, 2, 3)), 1.0) == []


@st.composite
def scenes(draw: st.DrawFn, most: int, elements: st.SearchStrategy[float], frames: int) -> tuple[Array, Place | None]:
    ys, xs = draw(st.tuples(st.integers(1, most), st.integers(1, most)))
    shares = draw(arrays(np.float64, (draw(st.integers(1, frames)), ys, xs), elements=elements))
    inside = st.tuples(st.integers(0, ys - 1), st.integers(0, xs - 1))
    return shares, draw(st.none() | inside)


whole = st.integers(0, 5).map(float)
smoothnesses = st.sampled_from([0.0, 0.25, 1.0, 2.0])  # with whole shares every sum is exact


@given(scene=scenes(2, whole, 4), smoothness=smoothnesses)
def test_small_paths_match_the_best_of_all(scene: tuple[Array, Place | None], smoothness: float) -> None:
    shares, start = scene
    assert path_of(shares, smoothness, start) == twins.best_path_enumerated(shares, smoothness, start)


@given(scene=scenes(7, whole, 6), smoothness=smoothnesses)
def test_paths_of_whole_shares_match_the_twin(scene: tuple[Array, Place | None], smoothness: float) -> None:
    shares, start = scene
    assert path_of(shares, smoothness, start) == twins.best_path(shares, smoothness, start)


@given(scene=scenes(7, st.floats(0, 1), 6), smoothness=st.floats(0, 2))
def test_paths_of_any_shares_are_worth_as_much(scene: tuple[Array, Place | None], smoothness: float) -> None:
    shares, start = scene
    path, twin = path_of(shares, smoothness, start), twins.best_path(shares, smoothness, start)
    worth = twins.path_worth(shares, smoothness, start, path)
    # Where two paths are worth the same, rounding may choose either.
    assert worth == pytest.approx(twins.path_worth(shares, smoothness, start, twin), rel=1e-12, abs=1e-12)


@given(scene=scenes(5, whole, 6), smoothness=smoothnesses, cut=st.integers(1, 5))
def test_the_rest_of_a_best_path_is_best_from_where_it_starts(
    scene: tuple[Array, Place | None], smoothness: float, cut: int
) -> None:
    shares, start = scene
    path = path_of(shares, smoothness, start)
    cut = min(cut, len(path) - 1)
    before = path[cut - 1] if cut else start
    rest = path_of(shares[cut:], smoothness, before)
    best = twins.path_worth(shares[cut:], smoothness, before, rest)
    assert best == twins.path_worth(shares[cut:], smoothness, before, path[cut:])
