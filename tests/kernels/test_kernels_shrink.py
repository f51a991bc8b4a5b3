"""Pictures and vectors of another size, against twins in exact fractions, and nothing beyond the arrays."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from test_kernels_bounds import Canary
from test_kernels_field import records

from mgmtool.kernels.field import motion_field, scaled_motion_field
from mgmtool.kernels.shrink import shrink

Array = NDArray[Any]

side = st.integers(1, 24)
corner = st.integers(-70, 90) | st.sampled_from([-(1 << 15), (1 << 15) - 1])
length = st.integers(0, 40) | st.just(255)
motion = st.integers(-200, 200) | st.sampled_from([-(1 << 31), (1 << 31) - 1])
record = st.tuples(st.integers(-2, 2), length, length, corner, corner, motion, motion, st.integers(0, 8))


def overlaps(sides: int, parts: int) -> list[list[Fraction]]:
    """Share of each of ``sides`` pixels in each of ``parts`` equal stretches of them."""
    edges = [Fraction(part * sides, parts) for part in range(parts + 1)]
    return [
        [max(min(high, Fraction(x + 1)) - max(low, Fraction(x)), Fraction(0)) for x in range(sides)]
        for low, high in pairwise(edges)
    ]


def shrink_slowly(picture: Array, unit: Fraction, rows: int, cols: int) -> Array:
    down, across = overlaps(picture.shape[0], rows), overlaps(picture.shape[1], cols)
    area = Fraction(picture.size, rows * cols)
    small = np.zeros((rows, cols), np.int64)
    for row, col in np.ndindex(rows, cols):
        total = sum(
            down[row][y] * across[col][x] * int(picture[y, x])
            for y, x in np.ndindex(*picture.shape)
            if down[row][y] and across[col][x]
        )
        small[row, col] = min(int(total * unit / area + Fraction(1, 2)), 255)
    return small


@given(st.data(), side, side, side, side, st.sampled_from([8, 10, 16]))
def test_means_are_those_of_the_twin(data: Any, height: int, width: int, rows: int, cols: int, bits: int) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 1 << 32)))
    dtype = np.uint8 if bits == 8 else np.uint16
    plane = rng.integers(0, 1 << bits, (height, width + data.draw(st.integers(0, 3))), dtype)
    canary = Canary((rows, cols), np.uint8)
    small = np.ascontiguousarray(canary.view)
    shrink(plane, width, 2.0 ** (8 - bits), small)
    shrink(plane, width, 2.0 ** (8 - bits), canary.view)
    expected = shrink_slowly(plane[:, :width], Fraction(256, 1 << bits), rows, cols)
    np.testing.assert_array_equal(small, expected)
    np.testing.assert_array_equal(small, canary.view)
    assert canary.sings()


def test_a_copy_of_the_same_size_is_the_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
    small = np.zeros_like(picture)
    shrink(picture, 30, 1.0, small)
    np.testing.assert_array_equal(small, picture)


@pytest.mark.parametrize(("dtype", "unit"), [(np.uint8, 1.0), (np.uint16, 1 / 256)])
def test_large_white_pictures_stay_white(dtype: Any, unit: float) -> None:
    plane = np.full((4320, 64), np.iinfo(dtype).max, dtype)
    small = np.zeros((256, 4), np.uint8)
    shrink(plane, 64, unit, small)
    assert (small == 255).all()


def spread(vectors: Array, small: tuple[int, int], size: tuple[int, int], offset: tuple[int, int], shift: int) -> Any:
    shape = tuple(-(-(n + o) // (1 << shift)) for n, o in zip(size, offset, strict=True))
    field, coverage = Canary((*shape, 2), np.float32), Canary(shape, np.float32)
    mean = scaled_motion_field(vectors, *small, *size, *offset, shift, field.view, coverage.view)
    assert field.sings()
    assert coverage.sings()
    return field.view, coverage.view, mean


@given(st.lists(record, max_size=6), side, side, side, side, st.integers(2, 4), st.data())
def test_fields_are_those_of_the_twin(
    rows: list[Any], small_height: int, small_width: int, height: int, width: int, shift: int, data: Any
) -> None:
    offset = data.draw(st.integers(0, (1 << shift) - 1)), data.draw(st.integers(0, (1 << shift) - 1))
    small, size = (small_height, small_width), (height, width)
    displacement, coverage, mean = spread(records(rows), small, size, offset, shift)
    area = np.zeros(coverage.shape)
    total = np.zeros(displacement.shape)
    inside = shares((0, height), (0, width), offset, shift, coverage.shape)
    for source, h, w, y, x, dy, dx, scale in rows:
        if source and scale:
            edges = [
                (min(max(low, 0), n) * Fraction(full, n), min(max(low + length, 0), n) * Fraction(full, n))
                for low, length, n, full in zip((y - h // 2, x - w // 2), (h, w), small, size, strict=True)
            ]
            weight = shares(*edges, offset, shift, coverage.shape)
            area += weight
            ups = np.array([height / small_height, width / small_width])
            total += weight[..., None] * (np.sign(source) * np.array([dy, dx]) / scale * ups)
    there = area > 0
    np.testing.assert_allclose(coverage, np.where(there, np.minimum(area / np.maximum(inside, 1e-9), 1), 0), atol=1e-5)
    largest = max((abs(m) for row in rows for m in row[5:7]), default=0) * 24 + 1
    expected = total[there] / area[there][:, None]
    np.testing.assert_allclose(displacement[there], expected, rtol=1e-4, atol=1e-5 * largest)
    assert not displacement[~there].any()
    assert mean == pytest.approx(coverage.mean(), abs=1e-5)


def shares(down: Any, across: Any, offset: tuple[int, int], shift: int, shape: tuple[int, ...]) -> Array:
    """Area of a rectangle in each cell."""
    lengths = [
        [max(min(high + o, Fraction((k + 1) << shift)) - max(low + o, Fraction(k << shift)), 0) for k in range(count)]
        for (low, high), o, count in zip((down, across), offset, shape, strict=True)
    ]
    return np.outer(*(np.array(each, np.float64) for each in lengths))


@given(st.lists(record, max_size=8), st.integers(1, 60), st.integers(1, 60))
def test_a_copy_of_the_same_size_has_the_same_field(rows: list[Any], height: int, width: int) -> None:
    vectors = records(rows)
    shape = -(-height // 16), -(-width // 16)
    expected = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
    mean = motion_field(vectors, height, width, 0, 0, 4, *expected)
    displacement, coverage, other = spread(vectors, (height, width), (height, width), (0, 0), 4)
    np.testing.assert_array_equal(displacement, expected[0])
    np.testing.assert_array_equal(coverage, expected[1])
    assert mean == other
