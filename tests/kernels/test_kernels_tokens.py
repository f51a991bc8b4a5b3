"""Energy of the tokens of a crop, and boxes filled up or thinned out to an exact count."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mgmtool.kernels.tokens import box_tokens, sample_tokens
from support import twins

Array = NDArray[Any]
Crop = tuple[Fraction, Fraction, Fraction, Fraction]

WHOLE = (Fraction(0), Fraction(0), Fraction(1), Fraction(1))
SIDES = st.integers(1, 8)


def sampled(levels: Array, shape: tuple[int, int], crop: Crop = WHOLE, hflip: bool = False, scale: float = 1) -> Array:
    out = np.full((len(levels), *shape), np.nan, np.float32)
    sample_tokens(levels, np.full(len(levels), scale, np.float32), *map(float, crop), hflip, out)
    return out


def ramp(rows: int, cols: int) -> Array:
    return np.arange(rows * cols, dtype=np.uint8).reshape(1, rows, cols)


def fractions(*values: str) -> Crop:
    top, left, bottom, right = map(Fraction, values)
    return top, left, bottom, right


@pytest.mark.parametrize(
    ("shape", "crop", "hflip", "expected"),
    [
        pytest.param((2, 4), WHOLE, False, [[0, 1, 2, 3], [4, 5, 6, 7]], id="same-grid"),
        pytest.param((2, 4), WHOLE, True, [[3, 2, 1, 0], [7, 6, 5, 4]], id="mirrored"),
        pytest.param((1, 2), WHOLE, False, [[2.5, 4.5]], id="coarser"),
        pytest.param((1, 1), WHOLE, False, [[3.5]], id="one-token"),
        pytest.param((4, 4), WHOLE, False, [[0, 1, 2, 3]] * 2 + [[4, 5, 6, 7]] * 2, id="finer"),
        pytest.param((1, 2), fractions("0", "0", "1/2", "1/2"), False, [[0, 1]], id="top-left"),
        pytest.param((1, 2), fractions("1/2", "1/2", "1", "1"), False, [[6, 7]], id="bottom-right"),
        pytest.param((1, 2), fractions("1/2", "1/2", "1", "1"), True, [[7, 6]], id="bottom-right-mirrored"),
        pytest.param((1, 1), fractions("0", "3/8", "1/2", "5/8"), False, [[1.5]], id="across-two-cells"),
        pytest.param((1, 2), fractions("-1", "-1", "0", "1"), False, [[0, 1.5]], id="above-and-left"),
        pytest.param((2, 1), fractions("0", "1", "2", "3"), False, [[5], [7]], id="below-and-right"),
        pytest.param((1, 1), fractions("-9", "-9", "-8", "-8"), False, [[0]], id="far-above-and-left"),
        pytest.param((1, 1), fractions("8", "8", "9", "9"), False, [[7]], id="far-below-and-right"),
        pytest.param((1, 1), (Fraction(10) ** 20,) * 4, False, [[7]], id="further-than-integers-reach"),
        pytest.param((1, 1), (-(Fraction(10) ** 20),) * 4, False, [[0]], id="further-the-other-way"),
    ],
)
def test_crops_by_hand(shape: tuple[int, int], crop: Crop, hflip: bool, expected: list[list[float]]) -> None:
    np.testing.assert_array_equal(sampled(ramp(2, 4), shape, crop, hflip)[0], expected)


def test_each_frame_has_its_scale() -> None:
    out = np.full((3, 1, 1), np.nan, np.float32)
    sample_tokens(np.full((3, 2, 2), 8, np.uint8), np.array([0, 0.5, 3], np.float32), 0.0, 0.0, 1.0, 1.0, False, out)
    assert out.ravel().tolist() == [0.0, 4.0, 24.0]


def share(parts: int) -> st.SearchStrategy[Fraction]:
    return st.integers(-parts // 2, 2 * parts).map(lambda k: Fraction(k, parts))


def crops(parts: int) -> st.SearchStrategy[Crop]:
    return st.tuples(*[share(parts)] * 4).filter(lambda crop: crop[0] < crop[2] and crop[1] < crop[3])


levels_3d = st.tuples(st.integers(1, 3), SIDES, SIDES).flatmap(lambda shape: arrays(np.uint8, shape))


def on_an_edge(first: Fraction, last: Fraction, tokens: int, cells: int) -> bool:
    return any(point.denominator == 1 for points in twins.token_points(first, last, tokens, cells) for point in points)


@given(levels=levels_3d, shape=st.tuples(SIDES, SIDES), crop=crops(1009), hflip=st.booleans())
def test_any_crop_matches_the_twin(levels: Array, shape: tuple[int, int], crop: Crop, hflip: bool) -> None:
    # A point exactly between two cells may fall to either once it is rounded; there are next to none of 1009ths.
    assume(not on_an_edge(crop[0], crop[2], shape[0], levels.shape[1]))
    assume(not on_an_edge(crop[1], crop[3], shape[1], levels.shape[2]))
    scale = np.linspace(0.1, 2, len(levels), dtype=np.float32)
    out = np.full((len(levels), *shape), np.nan, np.float32)
    sample_tokens(levels, scale, *map(float, crop), hflip, out)
    np.testing.assert_allclose(
        out, twins.sample_tokens(levels, scale, crop, hflip, shape), rtol=2e-6
    )  # 16 float32 sums


@given(data=st.data(), crop=crops(16), hflip=st.booleans())
def test_points_between_cells_take_the_later_one(data: st.DataObject, crop: Crop, hflip: bool) -> None:
    powers = st.sampled_from([1, 2, 4, 8])  # then every point is a float, and so is every mean
    levels = data.draw(arrays(np.uint8, st.tuples(st.just(2), powers, powers)))
    shape = data.draw(st.tuples(powers, powers))
    expected = twins.sample_tokens(levels, np.ones(2), crop, hflip, shape)
    np.testing.assert_array_equal(sampled(levels, shape, crop, hflip), expected)


@given(levels=levels_3d, shape=st.tuples(SIDES, SIDES), value=st.integers(0, 255), crop=crops(7))
def test_an_even_frame_stays_even(levels: Array, shape: tuple[int, int], value: int, crop: Crop) -> None:
    np.testing.assert_array_equal(sampled(np.full_like(levels, value), shape, crop, scale=0.5), value / 2)


# Boxes.


def masked_by(energy: Array, corner: Array, box_rows: int, box_cols: int, masked: int) -> Array:
    mask = np.ones(energy.shape, bool)
    mask[..., ::2] = False  # whatever was there is overwritten
    box_tokens(energy, corner, box_rows, box_cols, masked, mask)
    return mask


def one(energy: list[list[int]], corner: tuple[int, int], box: tuple[int, int], masked: int) -> list[str]:
    grid = np.array([energy], np.float32)
    mask = masked_by(grid, np.array([corner], np.int16), *box, masked)
    return ["".join("#" if hidden else "." for hidden in row) for row in mask[0]]


FLAT = [[0] * 5 for _ in range(4)]


@pytest.mark.parametrize(
    ("corner", "box", "masked", "expected"),
    [
        pytest.param((1, 1), (2, 3), 6, [".....", ".###.", ".###.", "....."], id="exact"),
        pytest.param((1, 1), (2, 3), 8, ["##...", ".###.", ".###.", "....."], id="two-more-by-index"),
        pytest.param((1, 1), (2, 3), 4, [".....", "...#.", ".###.", "....."], id="two-fewer-by-index"),
        pytest.param((0, 0), (1, 1), 5, ["###..", "##...", ".....", "....."], id="second-ring"),
        pytest.param((0, 0), (4, 5), 3, [".....", ".....", ".###.", "....."], id="rim-goes-first"),
        pytest.param((0, 0), (4, 5), 6, [".....", ".###.", ".###.", "....."], id="the-whole-rim"),
        pytest.param((1, 1), (2, 3), 0, ["....."] * 4, id="none"),
        pytest.param((1, 1), (2, 3), 20, ["#####"] * 4, id="all"),
        pytest.param((1, 1), (2, 3), -7, ["....."] * 4, id="fewer-than-none"),
        pytest.param((1, 1), (2, 3), 99, ["#####"] * 4, id="more-than-all"),
        pytest.param((-5, 99), (2, 2), 4, ["...##", "...##", ".....", "....."], id="corner-clamped"),
        pytest.param((32767, -32768), (1, 2), 2, [".....", ".....", ".....", "##..."], id="corner-far-out"),
        pytest.param((1, 1), (0, -3), 1, [".....", ".#...", ".....", "....."], id="box-at-least-one-token"),
        pytest.param((3, 3), (99, 2), 8, ["...##"] * 4, id="box-at-most-the-grid"),
    ],
)
def test_boxes_without_energy_by_hand(
    corner: tuple[int, int], box: tuple[int, int], masked: int, expected: list[str]
) -> None:
    assert one(FLAT, corner, box, masked) == expected


def test_most_energy_is_added_first_within_a_ring() -> None:
    energy = [[1, 0, 0, 9], [0, 0, 2, 9], [0, 3, 0, 9]]
    assert one(energy, (1, 1), (1, 1), 3) == ["....", ".##.", ".#.."]
    assert one(energy, (1, 1), (1, 1), 4) == ["#...", ".##.", ".#.."]
    assert one(energy, (1, 1), (1, 1), 9) == ["###.", "###.", "###."]  # the far nines only now
    assert one(energy, (1, 1), (1, 1), 10) == ["####", "###.", "###."]


def test_least_energy_is_removed_first_within_the_rim() -> None:
    energy = [[7, 7, 7, 1], [7, 0, 7, 7], [2, 7, 7, 7]]
    assert one(energy, (0, 0), (3, 4), 11) == ["###.", "####", "####"]
    assert one(energy, (0, 0), (3, 4), 10) == ["###.", "####", ".###"]
    assert one(energy, (0, 0), (3, 4), 2) == ["....", ".##.", "...."]
    assert one(energy, (0, 0), (3, 4), 1) == ["....", "..#.", "...."]  # the inner zero only now


def test_negative_energy_is_ordered_too() -> None:
    assert one([[-3, 0, -1, -2]], (0, 1), (1, 1), 2) == [".##."]
    assert one([[-3, -1, -2, -4]], (0, 0), (1, 4), 3) == ["###."]


def test_frames_do_not_mix() -> None:
    energy = np.zeros((2, 1, 4), np.float32)
    energy[0, 0] = [5, 0, 1, 0]
    energy[1, 0] = [1, 0, 5, 0]
    mask = masked_by(energy, np.array([[0, 1], [0, 1]], np.int16), 1, 1, 2)
    assert mask[:, 0].tolist() == [[True, True, False, False], [False, True, True, False]]


@st.composite
def boxes(draw: st.DrawFn) -> tuple[Array, Array, int, int, int]:
    frames, rows, cols = draw(st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)))
    values = draw(st.sampled_from([st.integers(0, 3).map(float), st.floats(-100, 100, width=32)]))
    energy = draw(arrays(np.float32, (frames, rows, cols), elements=values))
    corner = draw(arrays(np.int16, (frames, 2), elements=st.integers(-3, 12)))
    return energy, corner, draw(st.integers(-1, 11)), draw(st.integers(-1, 11)), draw(st.integers(-2, rows * cols + 2))


@given(case=boxes())
def test_any_box_matches_the_sorted_twin(case: tuple[Array, Array, int, int, int]) -> None:
    np.testing.assert_array_equal(masked_by(*case), twins.box_tokens(*case))


@given(case=boxes())
def test_the_count_is_exact_in_every_frame(case: tuple[Array, Array, int, int, int]) -> None:
    energy, masked = case[0], case[4]
    wanted = min(max(masked, 0), energy[0].size)
    assert masked_by(*case).sum(axis=(1, 2)).tolist() == [wanted] * len(energy)


@given(case=boxes())
def test_one_more_token_keeps_those_that_are_masked(case: tuple[Array, Array, int, int, int]) -> None:
    fewer, more = masked_by(*case), masked_by(*case[:4], case[4] + 1)
    assert not (fewer & ~more).any()
