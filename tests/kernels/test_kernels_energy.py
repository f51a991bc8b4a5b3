"""Energy of residual motion, over time, on other grids and in eight bits."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mgmtool.kernels.energy import pool, quantise, resample_max, resample_mean, saturating_energy
from support import twins

Array = NDArray[Any]

grids = st.tuples(st.integers(1, 8), st.integers(1, 8))
positive = st.floats(0, 1e4, width=32, allow_subnormal=False)


def energy_of(residual: Array, sigma: float = 1.0, c: float = 2.0, border: int = 0) -> Array:
    energy = np.full(residual.shape, np.nan, np.float32)
    saturating_energy(residual, sigma, c, border, energy)
    return energy


@pytest.mark.parametrize(
    ("residual", "sigma", "c", "expected"),
    [
        pytest.param(0.0, 1.0, 1.0, 0.0, id="no-motion"),
        pytest.param(1.0, 1.0, 1.0, math.log(2), id="at-the-noise"),
        pytest.param(6.0, 1.5, 4.0, math.log(2), id="at-c-times-the-noise"),
        pytest.param(9.0, 1.5, 2.0, math.log(10), id="thrice-that"),
        pytest.param(1e-4, 1.0, 1.0, 1e-8, id="quadratic-near-zero"),
        pytest.param(2e30, 1.0, 2.0, 60 * math.log(10), id="beyond-the-square-of-float32"),
    ],
)
def test_energy_by_hand(residual: float, sigma: float, c: float, expected: float) -> None:
    energy = energy_of(np.full((1, 1), residual, np.float32), sigma, c)
    assert energy[0, 0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("shape", "border", "left"),
    [
        pytest.param((5, 6), 0, (slice(0, 5), slice(0, 6)), id="none"),
        pytest.param((5, 6), 1, (slice(1, 4), slice(1, 5)), id="one"),
        pytest.param((5, 6), 2, (slice(2, 3), slice(2, 4)), id="two"),
        pytest.param((5, 6), 99, (slice(2, 3), slice(2, 4)), id="more-than-there-is"),
        pytest.param((5, 6), -1, (slice(0, 5), slice(0, 6)), id="negative"),
        pytest.param((1, 6), 2, (slice(0, 1), slice(2, 4)), id="one-row"),
        pytest.param((2, 2), 1, (slice(0, 2), slice(0, 2)), id="two-by-two"),
    ],
)
def test_the_border_is_zero(shape: tuple[int, int], border: int, left: tuple[slice, slice]) -> None:
    expected = np.zeros(shape, np.float32)
    expected[left] = np.float32(math.log(5))
    np.testing.assert_array_equal(energy_of(np.full(shape, 4, np.float32), border=border), expected)


@given(
    residual=grids.flatmap(lambda shape: arrays(np.float32, shape, elements=positive)),
    sigma=st.floats(0.01, 100),
    c=st.floats(0.5, 10),
    border=st.integers(0, 5),
)
def test_any_energy_matches_the_twin(residual: Array, sigma: float, c: float, border: int) -> None:
    energy = energy_of(residual, sigma, c, border)
    # log(1 + q) for small q keeps the float64 error of 1 + q, where the twin's log1p keeps q.
    expected = twins.saturating_energy(residual, sigma, c, border)
    np.testing.assert_allclose(energy, expected, rtol=1e-6, atol=1e-15)


@given(
    residual=grids.flatmap(lambda shape: arrays(np.float32, shape, elements=positive)),
    sigma=st.floats(0.0625, 100, width=32),
    factor=st.sampled_from([0.5, 4.0]),
)
def test_energy_depends_on_the_ratio_of_motion_and_noise(residual: Array, sigma: float, factor: float) -> None:
    scaled = energy_of(residual * np.float32(factor), sigma * factor)
    np.testing.assert_allclose(scaled, energy_of(residual, sigma), rtol=1e-6, atol=1e-30)  # less has fewer bits


def pooled_of(window: Array, valid: Array) -> tuple[Array, bool]:
    pooled = np.full(window.shape[1:], np.nan, np.float32)
    half = len(window) // 2
    return pooled, pool(window, valid, half, half, pooled)


@pytest.mark.parametrize(
    ("valid", "expected"),
    [
        pytest.param([1, 1, 1, 1, 1], (1 * 1 + 2 * 10 + 3 * 100 + 2 * 1000 + 10000) / 9, id="all"),
        pytest.param([0, 0, 1, 0, 0], 100, id="middle-only"),
        pytest.param([1, 0, 0, 0, 0], 1, id="far-only"),
        pytest.param([0, 1, 0, 1, 0], (10 + 1000) / 2, id="filled-from-both-sides"),
        pytest.param([0, 1, 0, 0, 1], (2 * 10 + 10000) / 3, id="nearer-weighs-more"),
    ],
)
def test_pooling_by_hand(valid: list[int], expected: float) -> None:
    window = np.array([1, 10, 100, 1000, 10000], np.float32).reshape(5, 1, 1)
    pooled, any_valid = pooled_of(window, np.array(valid, bool))
    assert any_valid
    assert pooled[0, 0] == pytest.approx(expected, rel=1e-6)


def test_pooling_of_nothing_is_zero() -> None:
    pooled, any_valid = pooled_of(np.ones((3, 2, 4), np.float32), np.zeros(3, bool))
    assert not any_valid
    assert not pooled.any()


def test_pooling_never_reads_what_does_not_count() -> None:
    window = np.full((3, 2, 2), np.nan, np.float32)
    window[1] = 5
    pooled, _ = pooled_of(window, np.array([False, True, False]))
    np.testing.assert_array_equal(pooled, 5)


@given(data=st.data(), half=st.integers(0, 3), shape=grids)
def test_any_pooling_matches_the_twin(data: st.DataObject, half: int, shape: tuple[int, int]) -> None:
    window = data.draw(arrays(np.float32, (2 * half + 1, *shape), elements=positive))
    valid = data.draw(arrays(np.bool_, 2 * half + 1))
    pooled, any_valid = pooled_of(window, valid)
    expected, expected_any = twins.pool(window, valid)
    assert any_valid == expected_any
    np.testing.assert_allclose(pooled, expected, rtol=2e-6, atol=1e-30)  # seven weights and sums in float32


def mean_on(values: Array, cell: int, height: int, width: int, shape: tuple[int, int]) -> Array:
    out = np.full(shape, np.nan, np.float32)
    resample_mean(values, cell, height, width, np.full(values.shape[1], np.nan, np.float32), out)
    return out


def max_on(values: Array, cell: int, height: int, width: int, shape: tuple[int, int]) -> Array:
    out = np.full(shape, np.nan, np.float32)
    resample_max(values, cell, height, width, out)
    return out


RAMP = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


@pytest.mark.parametrize(
    ("height", "width", "shape", "mean", "largest"),
    [
        pytest.param(8, 12, (2, 3), [[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 5, 6]], id="same-grid"),
        pytest.param(8, 12, (1, 1), [[3.5]], [[6]], id="whole-picture"),
        pytest.param(8, 12, (1, 2), [[(2 * 2.5 + 3.5) / 3, (3.5 + 2 * 4.5) / 3]], [[5, 6]], id="across-a-cell"),
        pytest.param(8, 12, (1, 6), [[2.5, 2.5, 3.5, 3.5, 4.5, 4.5]], [[4, 4, 5, 5, 6, 6]], id="finer"),
        pytest.param(5, 12, (1, 3), [[(4 + 4) / 5, (8 + 5) / 5, (12 + 6) / 5]], [[4, 5, 6]], id="cut-row"),
        pytest.param(8, 9, (2, 1), [[(4 + 8 + 3) / 9], [(16 + 20 + 6) / 9]], [[3], [6]], id="cut-column"),
        pytest.param(4, 8, (1, 1), [[1.5]], [[2]], id="cells-outside-the-picture"),
    ],
)
def test_other_grids_by_hand(
    height: int, width: int, shape: tuple[int, int], mean: list[list[float]], largest: list[list[float]]
) -> None:
    np.testing.assert_allclose(mean_on(RAMP, 4, height, width, shape), mean, rtol=1e-6)
    np.testing.assert_array_equal(max_on(RAMP, 4, height, width, shape), largest)


pictures = st.tuples(*[st.integers(1, 30)] * 2, st.integers(1, 9), grids)


@given(data=st.data(), picture=pictures)
def test_any_other_grid_matches_the_pixels(data: st.DataObject, picture: tuple[int, int, int, tuple[int, int]]) -> None:
    height, width, cell, shape = picture
    rows, cols = -(-height // cell), -(-width // cell)
    values = data.draw(arrays(np.float32, (rows, cols), elements=positive))
    expected = twins.resample_mean(values, cell, height, width, shape)
    # Sums of up to 30 float32 products; tiny shares of a neighbour, where a float64 edge is off by 1e-15,
    # are absolute, and so is what falls below the least normal float32.
    mean = mean_on(values, cell, height, width, shape)
    np.testing.assert_allclose(mean, expected, rtol=1e-5, atol=1e-37 + 1e-13 * float(values.max()))
    np.testing.assert_array_equal(
        max_on(values, cell, height, width, shape), twins.resample_max(values, cell, height, width, shape)
    )


def overlap(i: int, n: int, side: int, k: int, cell: int) -> Fraction:
    """Pixels that stretch ``i`` of ``n`` of a side shares with cell ``k``."""
    first, last = Fraction(i * side, n), Fraction((i + 1) * side, n)
    return max(Fraction(0), min(last, (k + 1) * cell) - max(first, k * cell))


@pytest.mark.parametrize(
    ("cell", "n", "side"),
    [(8, 14, 464), (8, 22, 240), (8, 22, 400), (16, 14, 928), (3, 22, 30), (3, 28, 36), (16, 14, 224), (4, 3, 48)],
)
@pytest.mark.parametrize("step", [1, -1])
def test_an_edge_on_an_edge_never_takes_the_neighbour(cell: int, n: int, side: int, step: int) -> None:
    values = np.arange(1, -(-side // cell) + 1, dtype=np.float32)[::step].copy()
    reached = [max(v for k, v in enumerate(values) if overlap(i, n, side, k, cell)) for i in range(n)]
    np.testing.assert_array_equal(max_on(values[None], cell, 1, side, (1, n))[0], reached)
    np.testing.assert_array_equal(max_on(values[:, None], cell, side, 1, (n, 1))[:, 0], reached)


def test_sums_over_a_row_are_kept_in_float64() -> None:
    # 2^24 + 1 is no float32: added one by one in float32, the ones would be lost.
    values = np.ones((1, 1001), np.float32)
    values[0, 0] = 2.0**24
    assert mean_on(values, 1, 1, 1001, (1, 1))[0, 0] == np.float32((2.0**24 + 1000) / 1001)


@given(picture=pictures, value=positive)
def test_an_even_field_stays_even(picture: tuple[int, int, int, tuple[int, int]], value: float) -> None:
    height, width, cell, shape = picture
    values = np.full((-(-height // cell), -(-width // cell)), value, np.float32)
    np.testing.assert_allclose(mean_on(values, cell, height, width, shape), value, rtol=1e-5)
    np.testing.assert_array_equal(max_on(values, cell, height, width, shape), np.float32(value))


def levels_of(values: Array) -> tuple[Array, float]:
    levels = np.full(values.shape, 77, np.uint8)
    return levels, quantise(values, levels)


@pytest.mark.parametrize(
    ("values", "levels", "scale"),
    [
        pytest.param([[0, 0]], [[0, 0]], 0.0, id="zeros"),
        pytest.param([[3]], [[255]], float(np.float32(3 / 255)), id="one-value"),
        pytest.param([[255, 0, 7]], [[255, 0, 7]], 1.0, id="exact"),
        pytest.param([[255, 0.5, 0.499, 1.5, 2.5]], [[255, 1, 0, 2, 3]], 1.0, id="halves-up"),
        pytest.param([[510, 2, 3, 509]], [[255, 1, 2, 255]], 2.0, id="coarse"),
        pytest.param([[9e-13, 1e-20]], [[0, 0]], 0.0, id="next-to-nothing"),
        pytest.param([[1e-12]], [[0]], 0.0, id="a-float32-just-below-the-limit"),
        pytest.param([[2e-12]], [[255]], float(np.float32(2e-12) / np.float32(255)), id="hardly-more"),
    ],
)
def test_eight_bits_by_hand(values: list[list[float]], levels: list[list[int]], scale: float) -> None:
    found, found_scale = levels_of(np.array(values, np.float32))
    assert found.tolist() == levels
    assert found_scale == scale


@given(values=grids.flatmap(lambda shape: arrays(np.float32, shape, elements=st.floats(0, 2.0**100, width=32))))
def test_eight_bits_are_within_half_a_step(values: Array) -> None:
    levels, scale = levels_of(values)
    expected, expected_scale = twins.quantise(values)
    assert scale == expected_scale == float(np.float32(scale))
    np.testing.assert_array_equal(levels, expected)
    if scale > 0:
        assert levels.flat[values.argmax()] == 255
        error = np.abs(levels * scale - values.astype(np.float64))
        assert (
            error <= scale * (0.5 + 1e-4)
        ).all()  # the largest value is 255 scales but for the rounding of the scale
