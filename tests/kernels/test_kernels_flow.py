"""Dense flow on cells: hand-computed pictures, any flow against the averaging twin, and nothing beyond the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from test_kernels_bounds import Canary

from mgmtool.kernels.field import mean_flow
from support import twins

Array = NDArray[Any]


def average(
    flow: Array, shape: tuple[int, int], offset: tuple[int, int] = (0, 0), shift: int = 3
) -> tuple[Array, Array]:
    displacement = np.full((*shape, 2), np.nan, np.float32)
    coverage = np.full(shape, np.nan, np.float32)
    mean_flow(flow, *offset, shift, displacement, coverage)
    return displacement, coverage


def steady(height: int, width: int, x: float, y: float) -> Array:
    return np.full((height, width, 2), (x, y), np.float32)


def test_displacement_is_minus_the_flow_with_y_first() -> None:
    displacement, coverage = average(steady(8, 16, x=3, y=-2), (1, 2))
    assert displacement.tolist() == [[[2.0, -3.0], [2.0, -3.0]]]
    assert coverage.tolist() == [[1.0, 1.0]]


def test_each_cell_is_the_mean_of_its_pixels() -> None:
    flow = np.zeros((2, 4, 2), np.float32)
    flow[..., 0] = [[1, 3, 10, 10], [5, 7, 20, 21]]
    displacement, _ = average(flow, (1, 2), shift=1)
    assert displacement.tolist() == [[[0.0, -4.0], [0.0, -15.25]]]


def test_cells_cut_by_the_picture_average_what_they_have() -> None:
    flow = steady(9, 10, 0, 0)
    flow[8, :, 1] = 6
    flow[:, 8:, 0] = 9
    displacement, coverage = average(flow, (2, 2))
    assert displacement.tolist() == [[[0.0, 0.0], [0.0, -9.0]], [[-6.0, 0.0], [-6.0, -9.0]]]
    assert coverage.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_offsets_move_the_cells_not_the_picture() -> None:
    flow = steady(8, 8, 0, 0)
    flow[:6, :3] = 1  # all of the first cell, which begins 2 pixels above and 5 to the left of the picture
    displacement, coverage = average(flow, (2, 2), offset=(2, 5))
    assert displacement[0, 0].tolist() == [-1.0, -1.0]
    assert np.count_nonzero(displacement) == 2
    assert coverage.all()


def test_cells_without_pixels_are_not_covered() -> None:
    displacement, coverage = average(steady(8, 8, 5, 5), (2, 3))
    assert coverage.tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    assert not displacement[coverage == 0].any()


def test_no_flow_is_plus_zero() -> None:
    displacement, _ = average(steady(8, 8, 0, 0), (1, 1))
    assert not np.signbit(displacement).any()


@pytest.mark.parametrize("shape", [(1, 1), (2, 3)], ids=str)
def test_pictures_beyond_the_cells_are_clipped(shape: tuple[int, int]) -> None:
    displacement, coverage = average(steady(64, 64, -4, 1), shape)
    assert coverage.all()
    assert (displacement == [-1, 4]).all()


sides = st.tuples(st.integers(1, 40), st.integers(1, 40))
shapes = st.tuples(st.integers(1, 6), st.integers(1, 6))


@given(data=st.data(), size=sides, shape=shapes, shift=st.integers(0, 5))
def test_kernel_equals_twin_and_writes_only_its_arrays(
    data: st.DataObject, size: tuple[int, int], shape: tuple[int, int], shift: int
) -> None:
    offset = data.draw(st.tuples(*[st.integers(0, 2 << shift)] * 2))
    flow = data.draw(arrays(np.float32, (*size, 2), elements=st.floats(-300, 300, width=32)))
    displacement, coverage = Canary((*shape, 2), np.float32), Canary(shape, np.float32)
    mean_flow(flow, *offset, shift, displacement.view, coverage.view)
    assert displacement.sings()
    assert coverage.sings()
    expected = twins.mean_flow(flow, *offset, shift, shape)
    # Sums of up to 32 float32 of up to 300, which may cancel out.
    np.testing.assert_allclose(displacement.view, expected[0], rtol=1e-5, atol=1e-3)
    np.testing.assert_array_equal(coverage.view, expected[1])


@given(size=sides, shape=shapes, shift=st.integers(0, 5), offset=st.tuples(st.integers(0, 70), st.integers(0, 70)))
def test_nothing_is_read_beyond_the_picture(
    size: tuple[int, int], shape: tuple[int, int], shift: int, offset: tuple[int, int]
) -> None:
    height, width = size
    # A flow of 1 where the kernel may read, 1e6 in the rows around it: what it reads beyond shows in the mean.
    around = np.full((height + 2, width, 2), 1e6, np.float32)
    around[1:-1] = 1
    displacement, coverage = average(around[1:-1], shape, offset, shift)
    np.testing.assert_array_equal(displacement, -np.repeat(coverage[..., None], 2, axis=-1))
