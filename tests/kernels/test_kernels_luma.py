"""Mean luma of squares, and the change between two pictures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mgmtool.kernels.luma import correlation, mean_difference, mean_plane
from support import twins

Array = NDArray[Any]

GARBAGE = 199


def picture_change(before: Array, after: Array) -> tuple[float, float]:
    return mean_difference(before, after), correlation(before, after)


def average(
    plane: Array,
    width: int,
    shape: tuple[int, int],
    offset: tuple[int, int] = (0, 0),
    shift: int = 3,
    unit: float = 1.0,
) -> Array:
    luma = np.full(shape, np.nan, np.float32)
    mean_plane(plane, width, *offset, shift, shift, 1, unit, luma)
    return luma


def padded(picture: Array, pad: int) -> Array:
    return np.pad(picture, ((0, 0), (0, pad)), constant_values=GARBAGE)


def test_each_square_is_the_mean_of_its_pixels() -> None:
    picture = np.array([[1, 3, 10, 10], [5, 7, 20, 21]], np.uint8)
    np.testing.assert_array_equal(average(picture, 4, (1, 2), shift=1), [[4.0, 15.25]])


def test_padding_does_not_count() -> None:
    picture = padded(np.full((8, 12), 40, np.uint8), 5)
    np.testing.assert_array_equal(average(picture, 12, (1, 2)), 40.0)


def test_partial_squares_average_what_they_have() -> None:
    picture = np.zeros((9, 10), np.uint8)
    picture[8] = 60
    picture[:, 8:] += 90
    np.testing.assert_array_equal(average(picture, 10, (2, 2)), [[0.0, 90.0], [60.0, 150.0]])


def test_offsets_move_the_squares_not_the_picture() -> None:
    picture = np.zeros((8, 8), np.uint8)
    picture[:6, :3] = 100  # all of the first square, which begins 2 pixels above and 5 to the left of the picture
    np.testing.assert_array_equal(average(picture, 8, (2, 2), offset=(2, 5)), [[100.0, 0.0], [0.0, 0.0]])


def test_squares_without_pixels_are_zero() -> None:
    picture = np.full((8, 8), 77, np.uint8)
    np.testing.assert_array_equal(average(picture, 8, (2, 3)), [[77.0, 0.0, 0.0], [0.0, 0.0, 0.0]])


def test_ten_bit_samples_come_out_on_the_scale_of_eight_bit() -> None:
    picture = np.full((8, 8), 1023, np.uint16)
    np.testing.assert_array_equal(average(picture, 8, (1, 1), unit=0.25), 255.75)


def test_sums_hold_the_brightest_large_square() -> None:
    picture = np.full((256, 256), 65535, np.uint16)
    np.testing.assert_array_equal(average(picture, 256, (1, 1), shift=8, unit=255 / 65535), 255.0)


@given(data=st.data(), dtype=st.sampled_from([np.uint8, np.uint16]))
def test_any_picture_matches_the_twin(data: st.DataObject, dtype: type[np.unsignedinteger[Any]]) -> None:
    shift = data.draw(st.integers(0, 3))
    offset = data.draw(st.tuples(*[st.integers(0, 2 << shift)] * 2))
    picture = data.draw(arrays(dtype, st.tuples(st.integers(1, 20), st.integers(1, 20))))
    plane = padded(picture, data.draw(st.integers(0, 3)))
    shape = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    unit = data.draw(st.sampled_from([1.0, 0.25, 255 / 65535]))
    luma = average(plane, picture.shape[1], shape, offset, shift, unit)
    expected = twins.mean_luma(plane, picture.shape[1], *offset, shift, unit, shape)
    np.testing.assert_allclose(luma, expected, rtol=1e-6)  # the result is rounded to float32 once


# Change between pictures.


def grey(*values: float) -> Array:
    return np.array([values], np.float32)


@pytest.mark.parametrize(
    ("before", "after", "difference", "similar"),
    [
        pytest.param(grey(0, 10, 20), grey(0, 10, 20), 0.0, 1.0, id="equal"),
        pytest.param(grey(0, 10, 20), grey(5, 15, 25), 5.0, 1.0, id="brighter"),
        pytest.param(grey(0, 10, 20), grey(0, 20, 40), 10.0, 1.0, id="more-contrast"),
        pytest.param(grey(0, 10, 20), grey(20, 10, 0), 40 / 3, -1.0, id="inverted"),
        pytest.param(grey(0, 8, 0, 8), grey(0, 0, 8, 8), 4.0, 0.0, id="unrelated"),
        pytest.param(grey(0, 0, 30), grey(0, 30, 30), 10.0, 0.5, id="related"),
        pytest.param(grey(9, 9, 9), grey(200, 200, 200), 191.0, 1.0, id="both-flat"),
        pytest.param(grey(9, 9, 9), grey(0, 10, 20), 7.0, 0.0, id="first-flat"),
        pytest.param(grey(0, 10, 20), grey(9, 9, 9), 7.0, 0.0, id="second-flat"),
        pytest.param(grey(10, 12), grey(12, 10), 2.0, -1.0, id="just-not-flat"),
        pytest.param(grey(10, 11.9), grey(11.9, 10), 1.9, 1.0, id="just-flat"),
    ],
)
def test_change_by_hand(before: Array, after: Array, difference: float, similar: float) -> None:
    # Absolute: "unrelated" sums to a rounding error. 11.9 is no float32.
    assert picture_change(before, after) == pytest.approx((difference, similar), rel=1e-6, abs=1e-12)


def test_large_pictures_are_summed_in_float64() -> None:
    # In float32 the mean of 40 000 such cells is off by more than the contrast, and the pictures would not be flat.
    before = np.full((200, 200), 254.9, np.float32)
    difference, similar = picture_change(before, before - np.float32(100))
    assert difference == pytest.approx(100, rel=1e-7)
    assert similar == 1.0


pictures = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: st.tuples(*[arrays(np.float32, shape, elements=st.floats(0, 255, width=32))] * 2)
)


@given(pair=pictures)
def test_any_change_matches_the_twin(pair: tuple[Array, Array]) -> None:
    assume(
        all(abs(picture.var(dtype=np.float64) - 1) > 1e-6 for picture in pair)
    )  # neither side of "flat" is wrong there
    expected = twins.picture_change(*pair)
    # The difference of two float32 is rounded to float32; the correlation is float64 throughout.
    assert picture_change(*pair) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_rounding_does_not_push_the_correlation_beyond_one() -> None:
    assert picture_change(grey(4, 1, 0, 0, 0, 0), grey(4, 1, 2.0**-24, 0, 0, 0))[1] == 1.0


@given(pair=pictures)
def test_change_is_symmetric_and_in_range(pair: tuple[Array, Array]) -> None:
    difference, similar = picture_change(*pair)
    assert 0 <= difference <= 255
    assert math.isfinite(similar)
    assert -1 <= similar <= 1
    assert picture_change(*pair[::-1]) == (difference, similar)
