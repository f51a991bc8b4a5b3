"""The camera fit: known motions come back through outliers and noise, and any field matches NumPy's least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mgmtool.kernels.camera import fit_camera
from mgmtool.kernels.energy import saturating_energy
from support import twins

Array = NDArray[Any]

ZOOM_AND_TURN = np.array([[1.5, 0.75, -2.0], [-3.0, 2.0, 0.5]])


def fit(displacement: Array, coverage: Array, sigma_min: float = 0.1) -> tuple[Array, Array, float]:
    theta = np.full((2, 3), np.nan)
    residual = np.full(coverage.shape, np.nan, np.float32)
    sigma = fit_camera(displacement, coverage, sigma_min, theta, residual)
    return theta, residual, sigma


def affine(theta: Array, shape: tuple[int, int]) -> Array:
    """Field of a camera motion, written out cell by cell; x and y run over -1..1."""
    field = np.zeros((*shape, 2), np.float32)
    for row, col in np.ndindex(shape):
        x = 2 * col / (shape[1] - 1) - 1 if shape[1] > 1 else 0.0
        y = 2 * row / (shape[0] - 1) - 1 if shape[0] > 1 else 0.0
        field[row, col] = theta @ [1, x, y]
    return field


def full(shape: tuple[int, int]) -> Array:
    return np.ones(shape, np.float32)


def object_at(shape: tuple[int, int], rows: slice, cols: slice) -> Array:
    there = np.zeros(shape, bool)
    there[rows, cols] = True
    return there


def test_a_translation_is_recovered_exactly() -> None:
    field = affine(np.array([[4.0, 0, 0], [-2.5, 0, 0]]), (6, 8))
    theta, residual, sigma = fit(field, full((6, 8)))
    np.testing.assert_allclose(theta, [[4.0, 0, 0], [-2.5, 0, 0]], atol=1e-5)  # 1e-6 of 4: the ridge of the fit
    assert residual.max() < 1e-5
    assert sigma == 0.1


def test_coefficients_are_those_of_one_x_and_y() -> None:
    theta, residual, _ = fit(affine(ZOOM_AND_TURN, (7, 9)), full((7, 9)))
    np.testing.assert_allclose(theta, ZOOM_AND_TURN, atol=2e-4)  # the median start leaves all weights slightly uneven
    assert residual.max() < 1e-3


@pytest.mark.parametrize(
    ("camera", "tolerance"),
    [
        pytest.param(np.array([[4.0, 0, 0], [-2.5, 0, 0]]), 0.02, id="translation"),
        pytest.param(ZOOM_AND_TURN, 0.1, id="affine"),
        pytest.param(np.zeros((2, 3)), 0.02, id="still"),
    ],
)
def test_a_moving_object_does_not_move_the_camera(camera: Array, tolerance: float) -> None:
    shape = (10, 12)
    there = object_at(shape, slice(2, 6), slice(3, 9))  # a fifth of the cells
    field = affine(camera, shape)
    field[there] += np.float32([12, -9])  # 15 pixels
    theta, residual, sigma = fit(field, full(shape))
    np.testing.assert_allclose(theta, camera, atol=tolerance)
    np.testing.assert_allclose(residual[there], 15, atol=2.5 * tolerance)
    assert residual[~there].max() < 2.5 * tolerance
    assert sigma < 0.2


def test_cells_count_by_coverage() -> None:
    # Two halves that disagree by less than the noise are hardly reweighted: the mean follows the covered area.
    field = np.zeros((4, 8, 2), np.float32)
    field[::2, :, 1] = 0.1
    coverage = full((4, 8))
    coverage[::2] = 0.25
    theta, _, _ = fit(field, coverage, sigma_min=10.0)
    expected = np.linalg.lstsq(*weighted_rows(field[..., 1], coverage), rcond=None)[0]
    np.testing.assert_allclose(theta[1], expected, atol=1e-5)
    assert theta[1, 0] == pytest.approx(0.02, abs=0.005)  # a plain mean is 0.05


def weighted_rows(component: Array, coverage: Array) -> tuple[Array, Array]:
    weight = np.sqrt(coverage.ravel())
    y, x = (axis.ravel() for axis in np.meshgrid(*(np.linspace(-1, 1, n) for n in coverage.shape), indexing="ij"))
    return weight[:, None] * np.stack([np.ones_like(x), x, y], axis=1), weight * component.ravel()


def test_uncovered_cells_do_not_count_whatever_they_hold() -> None:
    coverage = full((8, 8))
    coverage[:, 4:] = 0
    field = affine(ZOOM_AND_TURN, (8, 8))
    expected = fit(field, coverage)
    field[:, 4:] = np.nan
    theta, residual, sigma = fit(field, coverage)
    np.testing.assert_array_equal(theta, expected[0])
    np.testing.assert_array_equal(residual, expected[1])
    assert sigma == expected[2]
    assert not residual[:, 4:].any()
    np.testing.assert_allclose(theta, ZOOM_AND_TURN, atol=1e-3)


def test_nothing_covered() -> None:
    theta, residual, sigma = fit(np.full((5, 5, 2), 9, np.float32), np.zeros((5, 5), np.float32), sigma_min=0.3)
    assert not theta.any()
    assert not residual.any()
    assert sigma == 0.3


@pytest.mark.parametrize("covered", [1, 2, 15])
def test_few_cells_keep_the_translation_only(covered: int) -> None:
    coverage = np.zeros((6, 6), np.float32)
    coverage.flat[:covered] = 1
    field = affine(ZOOM_AND_TURN, (6, 6))
    theta, residual, sigma = fit(field, coverage)
    cells = field.reshape(-1, 2)[:covered].astype(np.float64)
    np.testing.assert_array_equal(theta[:, 0], np.median(cells, axis=0))
    assert not theta[:, 1:].any()
    lengths = np.hypot(*(cells - np.median(cells, axis=0)).T)
    np.testing.assert_allclose(residual.ravel()[:covered], lengths, rtol=1e-5, atol=1e-6)
    assert sigma == pytest.approx(max(np.median(lengths) / 1.1774, 0.1), rel=1e-5)


def test_sixteen_cells_are_enough_for_the_slopes() -> None:
    coverage = np.zeros((6, 6), np.float32)
    coverage.flat[:16] = 1
    theta, _, _ = fit(affine(ZOOM_AND_TURN, (6, 6)), coverage)
    np.testing.assert_allclose(theta, ZOOM_AND_TURN, atol=0.02)


@pytest.mark.parametrize("shape", [(1, 20), (20, 1)])
def test_cells_on_one_line_have_a_slope_along_it_only(shape: tuple[int, int]) -> None:
    theta, residual, _ = fit(affine(ZOOM_AND_TURN, shape), full(shape))
    along, across = (1, 2) if shape[0] == 1 else (2, 1)
    np.testing.assert_allclose(theta[:, [0, along]], ZOOM_AND_TURN[:, [0, along]], atol=1e-3)
    assert not theta[:, across].any()
    assert residual.max() < 1e-3


def test_cells_on_the_diagonal_leave_the_fit_finite() -> None:
    theta, residual, _ = fit(affine(ZOOM_AND_TURN, (20, 20)), np.eye(20, dtype=np.float32))
    # x and y are the same there: only their sum is known, and the smallest coefficients share it.
    slope = ZOOM_AND_TURN[:, 1:].sum(axis=1) / 2
    np.testing.assert_allclose(theta[:, 1:], np.stack([slope, slope], axis=1), atol=1e-3)
    assert residual.max() < 1e-3


def test_sigma_is_the_noise_of_one_component() -> None:
    noise = np.random.default_rng(5).normal(0, 2.0, (40, 40, 2)).astype(np.float32)
    theta, _, sigma = fit(affine(ZOOM_AND_TURN, (40, 40)) + noise, full((40, 40)))
    assert sigma == pytest.approx(2.0, rel=0.05)  # the error of a median of 1600 lengths is some 2 %
    np.testing.assert_allclose(theta, ZOOM_AND_TURN, atol=0.4)


floor = st.sampled_from([0.05, 0.25, 1.0])
seeds = st.integers(0, 2**32 - 1)
shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))


def scene(seed: int, shape: tuple[int, int], noise: float, outliers: float, uncovered: float) -> tuple[Array, Array]:
    """An affine camera with noise, cells that move on their own, and cells without vectors."""
    rng = np.random.default_rng(seed)
    field = affine(rng.normal(0, 4, (2, 3)), shape) + rng.normal(0, noise, (*shape, 2))
    field[rng.random(shape) < outliers] += rng.normal(0, 20, 2)
    coverage = rng.uniform(0.05, 1, shape) * (rng.random(shape) >= uncovered)
    return field.astype(np.float32), coverage.astype(np.float32)


@given(
    seed=seeds,
    shape=shapes,
    noise=st.sampled_from([0.0, 0.1, 1.0]),
    outliers=st.sampled_from([0.0, 0.1, 0.4]),
    uncovered=st.sampled_from([0.0, 0.3, 0.9]),
    sigma_min=floor,
)
def test_any_scene_matches_least_squares_of_numpy(
    seed: int, shape: tuple[int, int], noise: float, outliers: float, uncovered: float, sigma_min: float
) -> None:
    field, coverage = scene(seed, shape, noise, outliers, uncovered)
    theta, residual, sigma = fit(field, coverage, sigma_min)
    expected = twins.fit_camera(field, coverage, sigma_min)
    # Residuals are float32 differences of numbers up to some 50: 5e-6 each, and each of the rounds hands its error on.
    np.testing.assert_allclose(theta, expected[0], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(residual, expected[1], rtol=1e-5, atol=1e-4)
    assert sigma == pytest.approx(expected[2], rel=1e-4)


@given(
    displacement=arrays(np.float32, (5, 6, 2), elements=st.floats(-(2.0**31), 2.0**31, width=32)),
    coverage=arrays(np.float32, (5, 6), elements=st.floats(0, 1, width=32)),
    sigma_min=floor,
)
def test_any_field_gives_finite_numbers(displacement: Array, coverage: Array, sigma_min: float) -> None:
    theta, residual, sigma = fit(displacement, coverage, sigma_min)
    assert np.isfinite(theta).all()
    assert np.isfinite(residual).all()
    assert (residual >= 0).all()
    assert not residual[coverage == 0].any()
    assert np.isfinite(sigma)
    assert sigma >= sigma_min


@given(seed=seeds, shape=shapes, sigma_min=floor, factor=st.sampled_from([3.0, 4.0]))
def test_energy_is_free_of_scale(seed: int, shape: tuple[int, int], sigma_min: float, factor: float) -> None:
    field, coverage = scene(seed, shape, 0.5, 0.2, 0.2)
    near, far = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    _, residual, sigma = fit(field, coverage, sigma_min)
    saturating_energy(residual, sigma, 2.0, 0, near)
    _, residual, wider = fit(field * np.float32(factor), coverage, sigma_min * factor)
    saturating_energy(residual, wider, 2.0, 0, far)
    if factor == 4.0:  # only exponents change, so nothing is rounded differently
        assert wider == 4 * sigma
        np.testing.assert_array_equal(far, near)
    else:
        assert wider == pytest.approx(factor * sigma, rel=1e-4)
        np.testing.assert_allclose(far, near, rtol=1e-3, atol=1e-6)


@given(seed=seeds, shape=shapes, sigma_min=floor)
def test_turning_the_picture_turns_the_fit(seed: int, shape: tuple[int, int], sigma_min: float) -> None:
    field, coverage = scene(seed, shape, 0.5, 0.2, 0.2)
    assume(coverage.any())
    theta, residual, sigma = fit(field, coverage, sigma_min)
    turned = np.ascontiguousarray(field.swapaxes(0, 1)[..., ::-1])
    theta_turned, residual_turned, sigma_turned = fit(turned, np.ascontiguousarray(coverage.T), sigma_min)
    np.testing.assert_allclose(theta_turned, theta[::-1][:, [0, 2, 1]], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(residual_turned, residual.T, rtol=1e-5, atol=1e-4)
    assert sigma_turned == pytest.approx(sigma, rel=1e-4)
