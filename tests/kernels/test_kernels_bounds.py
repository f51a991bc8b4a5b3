"""Kernels stay inside their arrays: outputs lie within larger arrays whose margins must keep their pattern.

The values come from files anyone may have written, and compiled code checks no index.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mgmtool.kernels.energy import resample_max, resample_mean
from mgmtool.kernels.field import VECTOR, motion_field
from mgmtool.kernels.luma import mean_plane
from mgmtool.kernels.tokens import box_tokens, sample_tokens
from support import twins

Array = NDArray[Any]

MARGIN = 3
PATTERN = 0xA5
REACH = 2.0**31  # of a motion vector


class Canary:
    """An array to write to, with a margin on every side of every axis."""

    def __init__(self, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
        self._whole = np.empty([n + 2 * MARGIN for n in shape], dtype)
        self._whole.view(np.uint8)[:] = PATTERN  # of a bool, too: neither 0 nor 1
        self._before = self._whole.copy()
        self._inside = tuple(slice(MARGIN, MARGIN + n) for n in shape)
        self.view = self._whole[self._inside]

    def sings(self) -> bool:
        """Whether nothing but the inside was written."""
        after = self._whole.copy()
        after[self._inside] = self._before[self._inside]
        return after.tobytes() == self._before.tobytes()


def test_the_canary_dies_of_one_byte() -> None:
    canary = Canary((2, 3), np.float32)
    canary.view[:] = 0
    assert canary.sings()
    canary.view.base[MARGIN, MARGIN + 3] = 0
    assert not canary.sings()


def full_range(bits: int, signed: bool) -> st.SearchStrategy[int]:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    near = st.integers(max(low, -20), min(high, 120))
    return near | st.integers(low, high) | st.sampled_from([low, high])


record = st.tuples(
    full_range(32, True),  # source
    full_range(8, False),  # w
    full_range(8, False),  # h
    *[full_range(16, True)] * 4,  # src_x, src_y, dst_x, dst_y
    full_range(64, False),  # flags
    *[full_range(32, True)] * 2,  # motion_x, motion_y
    full_range(16, False),  # motion_scale
)


def from_records(rows: list[tuple[int, ...]]) -> Array:
    return np.array(rows, VECTOR) if rows else np.zeros(0, VECTOR)


def from_noise(seed: int, n: int) -> Array:
    """Records of random bytes, whose blocks are then moved to where the pictures are."""
    rng = np.random.default_rng(seed)
    vectors = np.frombuffer(rng.bytes(n * VECTOR.itemsize), VECTOR).copy()
    for name in ("dst_y", "dst_x"):
        vectors[name] %= 256
        vectors[name] -= 100
    return vectors


any_vectors = st.lists(record, max_size=10).map(from_records) | st.builds(
    from_noise, st.integers(0, 2**32 - 1), st.integers(0, 60)
)


@given(data=st.data(), vectors=any_vectors, shape=st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_no_vector_reaches_outside_the_field(data: st.DataObject, vectors: Array, shape: tuple[int, int]) -> None:
    shift = data.draw(st.integers(0, 4))
    offset = data.draw(st.tuples(*[st.integers(0, (1 << shift) - 1)] * 2))
    height, width = data.draw(st.tuples(*[st.integers(1, 200) | st.just(32767)] * 2))
    displacement, coverage = Canary((*shape, 2), np.float32), Canary(shape, np.float32)
    mean = motion_field(vectors, height, width, *offset, shift, displacement.view, coverage.view)
    assert displacement.sings()
    assert coverage.sings()
    expected = twins.motion_field(vectors, height, width, *offset, shift, shape)
    # Sums of up to 60 float32 products of up to 2^31, which may cancel out.
    np.testing.assert_allclose(displacement.view, expected[0], rtol=1e-5, atol=REACH * 1e-5)
    np.testing.assert_allclose(coverage.view, expected[1], rtol=1e-6)
    assert ((coverage.view >= 0) & (coverage.view <= 1)).all()
    assert np.abs(displacement.view).max() <= REACH * (1 + 1e-5)
    assert not displacement.view[coverage.view == 0].any()
    assert 0 <= mean <= 1
    assert abs(mean - expected[2]) < 1e-6


int16 = full_range(16, True)
count = st.integers(-5, 160) | st.sampled_from([-(2**31), 2**31, 2**40])


@given(data=st.data(), shape=st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 12)))
def test_no_box_reaches_outside_the_mask(data: st.DataObject, shape: tuple[int, int, int]) -> None:
    extremes = st.floats(width=32, allow_nan=False, allow_infinity=False)
    energy = data.draw(arrays(np.float32, shape, elements=extremes))
    corner = data.draw(arrays(np.int16, (shape[0], 2), elements=int16))
    box_rows, box_cols, masked = data.draw(st.tuples(count, count, count))
    mask = Canary(shape, np.bool_)
    box_tokens(energy, corner, box_rows, box_cols, masked, mask.view)
    assert mask.sings()
    np.testing.assert_array_equal(mask.view, twins.box_tokens(energy, corner, box_rows, box_cols, masked))


edge = (
    st.floats(-2, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([-1e308, 1e308, 2.0**63, -(2.0**63), 2.0**31])
)


@given(data=st.data(), crop=st.tuples(edge, edge, edge, edge), hflip=st.booleans())
def test_no_crop_reaches_outside_the_energy(
    data: st.DataObject, crop: tuple[float, float, float, float], hflip: bool
) -> None:
    frames = data.draw(st.integers(0, 3))
    shape = (frames, *data.draw(st.tuples(st.integers(1, 8), st.integers(1, 8))))
    # A level of 9 where the kernel may read and 200 around it: what it reads beyond shows in the mean.
    around = np.full((frames + 2, 9, 11), 200, np.uint8)
    levels = around[1:-1, 2:-2, 2:-2]
    levels[:] = data.draw(arrays(np.uint8, levels.shape, elements=st.integers(3, 9)))
    out = Canary(shape, np.float32)
    sample_tokens(levels, np.ones(frames, np.float32), *crop, hflip, out.view)
    assert out.sings()
    assert ((out.view >= 3) & (out.view <= 9)).all()


@given(crop=st.tuples(edge, edge))
def test_crops_beyond_a_side_take_the_cells_of_that_side(crop: tuple[float, float]) -> None:
    first, last = (1 + abs(value) for value in crop)
    levels = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    out = np.zeros((1, 2, 2), np.float32)
    sample_tokens(levels, np.ones(1, np.float32), first, first, last, last, False, out)
    np.testing.assert_array_equal(out, 11)
    sample_tokens(levels, np.ones(1, np.float32), -first, -first, -last, -last, False, out)
    np.testing.assert_array_equal(out, 0)


sizes = st.tuples(st.integers(1, 24), st.integers(1, 24))


@given(data=st.data(), size=sizes, shape=st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_no_square_reaches_outside_the_luma(data: st.DataObject, size: tuple[int, int], shape: tuple[int, int]) -> None:
    shift = data.draw(st.integers(0, 5))
    offset = data.draw(st.tuples(*[st.integers(0, 2 << shift)] * 2))
    plane = data.draw(arrays(np.uint8, size, elements=st.integers(100, 110)))
    luma = Canary(shape, np.float32)
    mean_plane(plane, size[1], *offset, shift, shift, 1, 1.0, luma.view)
    assert luma.sings()
    expected = twins.mean_luma(plane, size[1], *offset, shift, 1.0, shape)
    np.testing.assert_allclose(luma.view, expected, rtol=1e-6)


@given(size=sizes, cell=st.integers(1, 9), shape=st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_no_rectangle_reaches_outside_the_grid(size: tuple[int, int], cell: int, shape: tuple[int, int]) -> None:
    rows, cols = (-(-n // cell) for n in size)
    around = np.full((rows + 2, cols + 2), 1e6, np.float32)
    values = around[1:-1, 1:-1]
    values[:] = 1
    line, mean, largest = Canary((cols,), np.float32), Canary(shape, np.float32), Canary(shape, np.float32)
    resample_mean(values, cell, *size, line.view, mean.view)
    resample_max(values, cell, *size, largest.view)
    assert line.sings()
    assert mean.sings()
    assert largest.sings()
    np.testing.assert_allclose(mean.view, 1, rtol=1e-5)
    np.testing.assert_array_equal(largest.view, 1)
