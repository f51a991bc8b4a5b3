"""Motion vectors on cells: hand-computed blocks, and any vectors against the painted twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mgmtool.kernels.field import VECTOR, motion_field
from support import twins

Array = NDArray[Any]
Record = tuple[int, int, int, int, int, int, int, int]

FIELDS = ("source", "h", "w", "dst_y", "dst_x", "motion_y", "motion_x", "motion_scale")


def records(rows: list[Record]) -> Array:
    vectors = np.zeros(len(rows), VECTOR)
    for i, row in enumerate(rows):
        for name, value in zip(FIELDS, row, strict=True):
            vectors[name][i] = value
    return vectors


def spread(
    vectors: Array, height: int, width: int, shape: tuple[int, int], offset: tuple[int, int] = (0, 0), shift: int = 4
) -> tuple[Array, Array, float]:
    displacement = np.full((*shape, 2), np.nan, np.float32)
    coverage = np.full(shape, np.nan, np.float32)
    mean = motion_field(vectors, height, width, *offset, shift, displacement, coverage)
    return displacement, coverage, mean


def test_layout_is_that_of_avmotionvector() -> None:
    assert VECTOR.itemsize == 40
    offsets = {name: VECTOR.fields[name][1] for name in VECTOR.names}
    assert offsets["motion_x"] == 24
    assert offsets["motion_scale"] == 32
    assert offsets["dst_x"] == 10


@pytest.mark.parametrize(
    ("source", "scale", "motion", "expected"),
    [
        pytest.param(-1, 1, (3, -2), (-3.0, 2.0), id="past"),
        pytest.param(1, 1, (3, -2), (3.0, -2.0), id="future"),
        pytest.param(-7, 1, (3, -2), (-3.0, 2.0), id="far-past"),
        pytest.param(7, 1, (3, -2), (3.0, -2.0), id="far-future"),
        pytest.param(-1, 2, (3, -2), (-1.5, 1.0), id="half-pixel"),
        pytest.param(-1, 4, (3, -2), (-0.75, 0.5), id="quarter-pixel"),
        pytest.param(1, 8, (3, -2), (0.375, -0.25), id="eighth-pixel"),
    ],
)
def test_sign_and_scale_of_one_vector(
    source: int, scale: int, motion: tuple[int, int], expected: tuple[float, float]
) -> None:
    displacement, coverage, mean = spread(records([(source, 16, 16, 8, 8, *motion, scale)]), 16, 16, (1, 1))
    assert displacement[0, 0].tolist() == list(expected)
    assert coverage[0, 0] == 1.0
    assert mean == 1.0


@pytest.mark.parametrize(
    ("block", "cell", "share"),
    [
        pytest.param((16, 16, 8, 40), (0, 2), 1.0, id="a-whole-cell"),
        pytest.param((16, 16, 0, 40), (0, 2), 0.5, id="half-above"),
        pytest.param((16, 16, 32, 40), (1, 2), 0.5, id="half-below"),
        pytest.param((16, 16, 8, 0), (0, 0), 0.5, id="half-left"),
        pytest.param((16, 16, 8, 64), (0, 3), 0.5, id="half-right"),
        pytest.param((16, 16, 0, 0), (0, 0), 0.25, id="corner"),
        pytest.param((8, 4, 20, 10), (1, 0), 32 / 256, id="small-block"),
        pytest.param((3, 5, 8, 8), (0, 0), 15 / 256, id="odd-sides"),
        pytest.param((1, 1, 31, 63), (1, 3), 1 / 256, id="last-pixel"),
    ],
)
def test_only_the_part_inside_the_picture_counts(
    block: tuple[int, int, int, int], cell: tuple[int, int], share: float
) -> None:
    displacement, coverage, mean = spread(records([(-1, *block, 5, 7, 1)]), 32, 64, (2, 4))
    expected = np.zeros((2, 4), np.float32)
    expected[cell] = share
    np.testing.assert_array_equal(coverage, expected)
    assert displacement[cell].tolist() == [-5.0, -7.0]
    assert np.count_nonzero(displacement) == 2
    assert mean == share / 8


@pytest.mark.parametrize(
    "record",
    [
        pytest.param((-1, 16, 16, -8, 8, 5, 7, 1), id="above"),
        pytest.param((-1, 16, 16, 40, 8, 5, 7, 1), id="below"),
        pytest.param((-1, 16, 16, 8, -8, 5, 7, 1), id="left"),
        pytest.param((-1, 16, 16, 8, 72, 5, 7, 1), id="right"),
        pytest.param((-1, 16, 16, -32768, 32767, 5, 7, 1), id="far"),
        pytest.param((-1, 16, 16, 8, 8, 5, 7, 0), id="zero-scale"),
        pytest.param((0, 16, 16, 8, 8, 5, 7, 1), id="zero-source"),
        pytest.param((-1, 0, 16, 8, 8, 5, 7, 1), id="no-rows"),
        pytest.param((-1, 16, 0, 8, 8, 5, 7, 1), id="no-columns"),
    ],
)
def test_what_does_not_count_leaves_no_trace(record: Record) -> None:
    displacement, coverage, mean = spread(records([record]), 32, 64, (2, 4))
    assert not displacement.any()
    assert not coverage.any()
    assert mean == 0.0


def test_no_vectors_at_all() -> None:
    displacement, coverage, mean = spread(records([]), 32, 64, (2, 4))
    assert not displacement.any()
    assert not coverage.any()
    assert mean == 0.0


def test_a_block_of_two_lists_is_the_mean_of_both_vectors() -> None:
    past, future = (-1, 16, 16, 8, 8, 0, 4, 1), (1, 16, 16, 8, 8, 6, 2, 1)
    displacement, coverage, mean = spread(records([past, future]), 16, 16, (1, 1))
    assert displacement[0, 0].tolist() == [3.0, -1.0]
    assert coverage[0, 0] == 1.0
    assert mean == 1.0


def test_blocks_weigh_by_area() -> None:
    large, small = (1, 8, 16, 4, 8, 0, 1, 1), (1, 8, 8, 12, 4, 0, 4, 1)
    displacement, coverage, _ = spread(records([large, small]), 16, 16, (1, 1))
    assert displacement[0, 0].tolist() == [0.0, 2.0]  # (128 * 1 + 64 * 4) / 192
    assert coverage[0, 0] == 0.75


def test_a_block_over_four_cells_reaches_each_in_part() -> None:
    _, coverage, mean = spread(records([(1, 8, 8, 14, 17, 1, 1, 1)]), 32, 32, (2, 2))
    np.testing.assert_array_equal(coverage * 256, [[6 * 3, 6 * 5], [2 * 3, 2 * 5]])
    assert mean == 64 / 256 / 4


def test_partial_last_cells_are_full_when_their_pixels_are() -> None:
    # 24 x 20 pixels: the last row of cells has 8 pixel rows, the last column 4 pixel columns.
    _, coverage, mean = spread(records([(-1, 24, 20, 12, 10, 1, 1, 1)]), 24, 20, (2, 2))
    np.testing.assert_array_equal(coverage, 1.0)
    assert mean == 1.0
    _, coverage, _ = spread(records([(-1, 4, 2, 18, 17, 1, 1, 1)]), 24, 20, (2, 2))
    np.testing.assert_array_equal(coverage, [[0, 0], [0, 8 / 32]])


def test_offsets_move_the_cells_not_the_picture() -> None:
    # The picture of 16 x 16 begins 4 pixels down and 10 pixels into the first cell.
    _, coverage, _ = spread(records([(-1, 16, 16, 8, 8, 1, 1, 1)]), 16, 16, (2, 2), offset=(4, 10))
    np.testing.assert_array_equal(coverage, 1.0)
    _, coverage, _ = spread(records([(-1, 2, 2, 1, 1, 1, 1, 1)]), 16, 16, (2, 2), offset=(4, 10))
    np.testing.assert_array_equal(coverage, np.array([[4 / (12 * 6), 0], [0, 0]], np.float32))
    _, coverage, _ = spread(records([(-1, 2, 2, 13, 7, 1, 1, 1)]), 16, 16, (2, 2), offset=(4, 10))
    np.testing.assert_array_equal(coverage, np.array([[0, 0], [0, 4 / (4 * 10)]], np.float32))


def test_a_block_across_the_edge_is_cut_at_the_picture_not_at_the_cell() -> None:
    _, coverage, _ = spread(records([(-1, 16, 16, 0, 0, 1, 1, 1)]), 16, 16, (2, 2), offset=(4, 10))
    expected = [[8 * 6 / (12 * 6), 8 * 2 / (12 * 10)], [0, 0]]
    np.testing.assert_allclose(coverage, expected, rtol=1e-7)


def test_a_grid_smaller_than_the_picture_sees_its_part() -> None:
    _, coverage, mean = spread(records([(-1, 64, 64, 32, 32, 1, 1, 1)]), 64, 64, (2, 3))
    np.testing.assert_array_equal(coverage, 1.0)
    assert mean == 1.0


def test_the_mean_coverage_is_not_rounded_to_float32() -> None:
    _, coverage, mean = spread(records([(-1, 1, 1, 0, 0, 1, 1, 1), (-1, 16, 32, 24, 16, 1, 1, 1)]), 32, 80, (2, 5))
    assert mean == coverage.sum(dtype=np.float64) / 10
    assert mean != float(np.float32(mean))


small = st.integers(-40, 90)
any_record = st.tuples(
    st.integers(-2, 2),
    st.integers(0, 40),
    st.integers(0, 40),
    small,
    small,
    st.integers(-200, 200),
    st.integers(-200, 200),
    st.sampled_from([0, 1, 2, 4, 8, 3]),
)


@given(data=st.data(), rows=st.lists(any_record, max_size=12))
def test_any_vectors_match_the_painted_twin(data: st.DataObject, rows: list[Record]) -> None:
    shift = data.draw(st.integers(2, 5))
    offset = data.draw(st.tuples(*[st.integers(0, (1 << shift) - 1)] * 2))
    height, width = data.draw(st.tuples(*[st.integers(1, 48)] * 2))
    shape = ((height + offset[0] - 1 >> shift) + 1, (width + offset[1] - 1 >> shift) + 1)
    vectors = records(rows)
    displacement, coverage, mean = spread(vectors, height, width, shape, offset, shift)
    expected = twins.motion_field(vectors, height, width, *offset, shift, shape)
    # A few sums of up to 12 float32 products, each rounded once: some 1e-7 of the largest vector, which may cancel out.
    np.testing.assert_allclose(displacement, expected[0], rtol=1e-5, atol=200 * 1e-6)
    np.testing.assert_allclose(coverage, expected[1], rtol=1e-6)
    assert mean == pytest.approx(expected[2], rel=1e-6)


@given(rows=st.lists(any_record, min_size=1, max_size=6), factor=st.sampled_from([2, 4]))
def test_units_cancel(rows: list[Record], factor: int) -> None:
    vectors = records(rows)
    finer = vectors.copy()
    for name in ("motion_y", "motion_x", "motion_scale"):
        finer[name] *= factor
    for before, after in zip(spread(vectors, 64, 80, (4, 5)), spread(finer, 64, 80, (4, 5)), strict=True):
        np.testing.assert_array_equal(before, after)
