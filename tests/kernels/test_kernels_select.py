"""The median is NumPy's, bit by bit in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mgmtool.kernels.median import median, small_median
from support import twins

Array = NDArray[Any]


def middle(values: Array, n: int | None = None) -> float:
    n = len(values) if n is None else n
    return median(values, n, np.full(len(values), np.nan, np.float32))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([], 0.0, id="nothing"),
        pytest.param([5], 5.0, id="one"),
        pytest.param([5, 2], 3.5, id="two"),
        pytest.param([9, 1, 5], 5.0, id="three"),
        pytest.param([9, 1, 5, 6], 5.5, id="four"),
        pytest.param([3, 3, 3, 3], 3.0, id="all-equal"),
        pytest.param([1, 1, 1, 9, 9], 1.0, id="ties"),
        pytest.param([-5, 5], 0.0, id="two-signs"),
        pytest.param([-5, -1, -3], -3.0, id="negative"),
        pytest.param([-1, -1, 1000, 1000], 499.5, id="buckets-far-apart"),
        pytest.param([1.0, 1.0 + 2.0**-23], 1.0 + 2.0**-24, id="mean-finer-than-float32"),
        pytest.param([3e38, 3e38], float(np.float32(3e38)), id="mean-of-huge"),
        pytest.param([-np.inf, 4, np.inf], 4.0, id="infinite-ends"),
        pytest.param([-0.0, 0.0, -0.0, 0.0], 0.0, id="signed-zeros"),
        pytest.param([-0.0, 0.0, -1.0], 0.0, id="signed-zeros-and-more"),
        pytest.param([1e-45, 0.0, -1e-45], 0.0, id="subnormal"),
    ],
)
def test_by_hand(values: list[float], expected: float) -> None:
    assert middle(np.array(values, np.float32)) == expected


def test_only_the_first_n_count() -> None:
    values = np.array([4, 8, 6, 1000, 2000, 3000], np.float32)
    assert middle(values, 3) == 6.0
    assert middle(values, 2) == 6.0
    assert middle(values, 1) == 4.0
    assert middle(values, 0) == 0.0


numbers = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False),  # spread over many buckets
    st.floats(1.0, 1.0625, width=32),  # all in one bucket
    st.integers(-3, 3).map(float),  # ties
)


@given(values=st.lists(numbers, max_size=40), rest=st.lists(numbers, max_size=3))
def test_any_values_match_numpy(values: list[float], rest: list[float]) -> None:
    array = np.array(values + rest, np.float32)
    before = array.tobytes()
    assert middle(array, len(values)) == twins.median(array[: len(values)])
    assert array.tobytes() == before


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 400), kind=st.sampled_from(["residual", "sorted", "ties"]))
def test_many_values_match_numpy(seed: int, n: int, kind: str) -> None:
    values = np.random.default_rng(seed).rayleigh(3.0, n).astype(np.float32)
    if kind == "ties":
        values = np.floor(values)
    elif kind == "sorted":
        values.sort()
    assert middle(values) == twins.median(values)


@given(values=st.lists(numbers, min_size=1, max_size=30))
def test_few_values_match_numpy(values: list[float]) -> None:
    array = np.array(values, np.float32)
    assert small_median(array) == twins.median(array)
    np.testing.assert_array_equal(array, np.array(values, np.float32))
