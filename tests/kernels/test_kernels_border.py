"""Background at another depth: what moves like the border of the frame is taken out, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from test_kernels_bounds import Canary

from mgmtool.kernels.parallax import explain_by_border, residual_motion
from support import twins_evidence as twins

Array = NDArray[Any]

SHAPE = (14, 20)
OBJECT = (slice(5, 9), slice(8, 13))


def lengths(motion: Array) -> Array:
    return np.sqrt(np.square(motion.astype(np.float64)).sum(axis=-1)).astype(np.float32)


def explained(motion: Array, coverage: Array | None = None, along: int = 4, deep: int = 3) -> Array:
    """Residual after the border was asked."""
    residual = lengths(motion)
    covered = np.ones(residual.shape, np.float32) if coverage is None else coverage
    explain_by_border(motion, covered, along, deep, residual)
    return residual


def field(background: tuple[float, float], thing: tuple[float, float]) -> Array:
    """Residual motion of everything, and of an object in the middle."""
    motion = np.empty((*SHAPE, 2), np.float32)
    motion[:] = background
    motion[OBJECT] = thing
    return motion


def test_what_moves_like_the_border_is_background() -> None:
    assert explained(field((3, -4), (3, -4))).max() < 1e-6


@pytest.mark.parametrize(
    ("thing", "left"),
    [
        pytest.param((8, 0), 8, id="across"),
        pytest.param((0, -7), 7, id="against"),
        pytest.param((8, 3), 8, id="beside"),
        pytest.param((0, 3), 0, id="behind-the-border"),
        pytest.param((0, 9), 0, id="half-as-far-again"),
        pytest.param((0, 13), 4, id="further"),
        pytest.param((3, 13), 5, id="further-and-beside"),
        pytest.param((0, 0), 0, id="at-rest"),
    ],
)
def test_objects_keep_what_the_border_does_not_explain(thing: tuple[float, float], left: float) -> None:
    residual = explained(field((0, 6), thing))
    np.testing.assert_allclose(residual[OBJECT], left, atol=1e-5)
    residual[OBJECT] = 0
    assert residual.max() < 1e-5


def test_a_border_at_rest_explains_nothing() -> None:
    motion = field((0, 0), (2, 5))
    np.testing.assert_array_equal(explained(motion), lengths(motion))


def test_one_side_is_enough() -> None:
    motion = field((0, 0), (6, 1))
    motion[-3:] = 6, 1
    assert explained(motion)[OBJECT].max() < 1e-5


def test_sides_that_differ_are_mixed_in_between() -> None:
    motion = field((0, 0), (0, 0))
    motion[:, :10], motion[:, 10:] = (4, 0), (-4, 0)
    motion[7, 5] = 0, 5
    residual = explained(motion)
    assert residual[7, 5] == 5
    residual[7, 5] = 0
    assert residual[:, :9].max() < 1e-5
    assert residual[:, 11:].max() < 1e-5


def test_an_object_that_cuts_the_border_does_not_explain_itself() -> None:
    motion = field((0, 0), (0, 0))
    motion[10:, 8:10] = -5, 0  # two of the four cells of a block: the median of the block lies between, at most
    motion[13, 8:10] = 0
    assert (explained(motion, along=8)[10:13, 8:10] == 5).all()


@pytest.mark.parametrize(("covered", "left"), [(4, 5.0), (5, 0.0)])
def test_few_cells_are_no_border(covered: int, left: float) -> None:
    motion = np.zeros((9, 9, 2), np.float32)
    motion[...] = 3, 4
    coverage = np.zeros((9, 9), np.float32)
    coverage[4, 4] = 1
    coverage[0, :covered] = 1  # in one block of the top; three of them in a block of the left
    assert explained(motion, coverage, along=9, deep=3)[4, 4] == pytest.approx(left, abs=1e-6)


def test_uncovered_cells_are_neither_seen_nor_touched() -> None:
    motion = field((0, 6), (8, 0))
    coverage = np.ones(SHAPE, np.float32)
    coverage[:, ::3] = 0
    expected = explained(motion, coverage)
    np.testing.assert_array_equal(expected[:, ::3], lengths(motion)[:, ::3])
    motion[:, ::3] = 99, -99
    residual = lengths(motion)
    residual[:, ::3] = -1
    explain_by_border(motion, coverage, 4, 3, residual)
    assert (residual[:, ::3] == -1).all()
    kept = coverage > 0
    np.testing.assert_array_equal(residual[kept], expected[kept])


def test_turned_frames_are_explained_alike() -> None:
    rng = np.random.default_rng(4)
    motion, coverage = rng.normal(0, 5, (9, 9, 2)).astype(np.float32), np.ones((9, 9), np.float32)
    turned = np.ascontiguousarray(motion.swapaxes(0, 1)[..., ::-1])
    np.testing.assert_allclose(explained(turned, coverage, 3, 2), explained(motion, coverage, 3, 2).T, rtol=1e-5)


def test_all_vectors_times_four_leave_four_times_as_much() -> None:
    motion = np.random.default_rng(5).normal(0, 5, (*SHAPE, 2)).astype(np.float32)
    np.testing.assert_allclose(explained(4 * motion), 4 * explained(motion), rtol=1e-5)


shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))
blocks = st.integers(1, 12) | st.just(2**31)


def drawn_field(data: st.DataObject, shape: tuple[int, int], reach: float) -> tuple[Array, Array]:
    """Vectors of whole eighths, so that some are alike, or of any value, with uncovered cells at 0."""
    some = st.integers(-16, 16).map(lambda n: n / 8) | st.floats(-reach, reach, width=32)
    coverage = data.draw(arrays(np.float32, shape, elements=st.sampled_from([0.0, 0.25, 1.0, 1.0])))
    motion = data.draw(arrays(np.float32, (*shape, 2), elements=some)) * (coverage > 0)[..., None]
    return motion.astype(np.float32), coverage


@given(data=st.data(), shape=shapes, along=blocks, deep=blocks)
def test_any_field_matches_the_twin(data: st.DataObject, shape: tuple[int, int], along: int, deep: int) -> None:
    motion, coverage = drawn_field(data, shape, 50)
    before = data.draw(st.sampled_from([lengths(motion), np.full(shape, 2, np.float32)]))
    residual = Canary(shape, np.float32)
    residual.view[:] = before
    around = np.pad(motion, ((2, 2), (2, 2), (0, 0)), constant_values=np.nan)  # what is read beyond shows
    explain_by_border(around[2:-2, 2:-2], np.pad(coverage, 2)[2:-2, 2:-2], along, deep, residual.view)
    assert residual.sings()
    assert (residual.view <= before).all()
    assert (residual.view >= 0).all()
    expected = twins.explain_by_border(motion, coverage, along, deep, before)
    # Medians are rounded to float32: 4e-6 of 50.
    np.testing.assert_allclose(residual.view, expected, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("along", "deep"), [(1, 5), (3, 2), (4, 3), (6, 4), (7, 1), (99, 99)])
def test_random_fields_match_the_twin(along: int, deep: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(6, 12, 2).tolist())
    motion = (rng.normal(0, 2, (*shape, 2)) + rng.normal(0, 2, 2)).astype(np.float32)
    coverage = (rng.random(shape) < 0.9).astype(np.float32)
    motion[coverage == 0] = 0
    expected = twins.explain_by_border(motion, coverage, along, deep, lengths(motion))
    np.testing.assert_allclose(explained(motion, coverage, along, deep), expected, rtol=1e-5, atol=1e-5)


@given(data=st.data(), shape=shapes, along=blocks, deep=blocks)
def test_extreme_vectors_stay_inside(data: st.DataObject, shape: tuple[int, int], along: int, deep: int) -> None:
    far = st.sampled_from([0.0, 1e30, -3e38, np.inf, -np.inf, np.nan])
    motion = data.draw(arrays(np.float32, (*shape, 2), elements=far))
    residual = Canary(shape, np.float32)
    residual.view[:] = 7
    with np.errstate(all="ignore"):
        explain_by_border(motion, np.ones(shape, np.float32), along, deep, residual.view)
    assert residual.sings()


any_theta = st.lists(st.floats(-30, 30), min_size=6, max_size=6).map(lambda values: np.reshape(values, (2, 3)))


@given(data=st.data(), shape=shapes, theta=any_theta)
def test_any_residual_motion_matches_the_twin(data: st.DataObject, shape: tuple[int, int], theta: Array) -> None:
    displacement = data.draw(arrays(np.float32, (*shape, 2), elements=st.floats(-50, 50, width=32)))
    coverage = data.draw(arrays(np.float32, shape, elements=st.sampled_from([0.0, 0.25, 1.0])))
    displacement[coverage == 0] = np.nan  # uncovered cells do not count whatever they hold
    motion = Canary((*shape, 2), np.float32)
    residual_motion(displacement, coverage, theta, motion.view)
    assert motion.sings()
    expected = twins.residual_motion(displacement, coverage, theta)
    np.testing.assert_allclose(motion.view, expected, rtol=1e-6, atol=1e-12)


def test_residual_motion_by_hand() -> None:
    displacement = np.zeros((2, 3, 2), np.float32)
    displacement[1, 2] = 5, 5
    theta = np.array([[1.0, 2.0, 0.5], [0.0, 0.0, -3.0]])  # y = 1 and x = 1 at the bottom right
    motion = np.full((2, 3, 2), np.nan, np.float32)
    residual_motion(displacement, np.ones((2, 3), np.float32), theta, motion)
    assert motion[1, 2].tolist() == [5 - 3.5, 5 + 3]
    assert motion[0, 0].tolist() == [-(1 - 2 - 0.5), -3]
    assert motion[0, 1].tolist() == [-(1 - 0.5), -3]


@pytest.mark.parametrize("far", [1e30, 1e308, np.inf, np.nan])
def test_any_camera_leaves_the_margins_alone(far: float) -> None:
    motion = Canary((3, 4, 2), np.float32)
    with np.errstate(all="ignore"):
        residual_motion(np.ones((3, 4, 2), np.float32), np.ones((3, 4), np.float32), np.full((2, 3), far), motion.view)
    assert motion.sings()
