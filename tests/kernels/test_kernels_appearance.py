"""The colour model: blurred energy, colours as numbers, counts that come and go, and what they weigh; means of chroma."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from test_kernels_bounds import Canary

from mgmtool.kernels.appearance import (
    BINS,
    CHROMA_BINS,
    LUMA_BINS,
    blur,
    colour_bins,
    count_colours,
    is_grey,
    weigh_by_colour,
)
from mgmtool.kernels.luma import best_correlation, mean_plane
from support import twins_evidence as twins

Array = NDArray[Any]

shapes = st.tuples(st.integers(1, 7), st.integers(1, 7))
energies = st.floats(0, 100, width=32)


def around(values: Array, beyond: float = np.nan) -> Array:
    """Put an array inside a larger one: what is read beyond shows."""
    margins = [(0, 0)] * (values.ndim - 2) + [(2, 2)] * 2
    inside = (..., slice(2, -2), slice(2, -2))
    return np.asarray(np.pad(values, margins, constant_values=beyond)[inside])


# Blur.


def blurred(values: Array, sigma: float) -> Array:
    line, out = Canary(values.shape, np.float32), Canary(values.shape, np.float32)
    blur(around(values), sigma, line.view, out.view)
    assert line.sings()
    assert out.sings()
    return out.view.copy()


def test_a_point_becomes_a_bell() -> None:
    values = np.zeros((13, 13), np.float32)
    values[6, 6] = 100
    spread = blurred(values, 1.0)
    bell = np.exp(-0.5 * np.arange(-3, 4) ** 2)
    np.testing.assert_allclose(spread[3:10, 3:10], 100 * np.outer(bell, bell) / bell.sum() ** 2, rtol=1e-5)
    spread[3:10, 3:10] = 0
    assert not spread.any()  # cut at three sigma


def test_without_a_width_nothing_is_blurred() -> None:
    values = np.random.default_rng(0).random((4, 5)).astype(np.float32)
    np.testing.assert_array_equal(blurred(values, 0.0), values)


@given(shape=shapes, value=energies, sigma=st.floats(0, 4))
def test_an_even_field_stays_even(shape: tuple[int, int], value: float, sigma: float) -> None:
    assume(sigma == 0 or sigma > 1e-100)
    np.testing.assert_allclose(blurred(np.full(shape, value, np.float32), sigma), value, rtol=1e-5)


@given(data=st.data(), shape=shapes, sigma=st.just(0.0) | st.floats(0.05, 4))
def test_any_blur_matches_the_twin(data: st.DataObject, shape: tuple[int, int], sigma: float) -> None:
    values = data.draw(arrays(np.float32, shape, elements=energies))
    result = blurred(values, sigma)
    assert values.min() * (1 - 1e-5) <= result.min() <= result.max() <= values.max() * (1 + 1e-5)
    np.testing.assert_allclose(result, twins.blur(values, sigma), rtol=1e-5, atol=1e-35)


@given(data=st.data(), shape=shapes, sigma=st.floats(0.05, 3))
def test_more_energy_is_more_after_the_blur(data: st.DataObject, shape: tuple[int, int], sigma: float) -> None:
    less, more = (data.draw(arrays(np.float32, shape, elements=energies)) for _ in range(2))
    assert (blurred(np.minimum(less, more), sigma) <= blurred(np.maximum(less, more), sigma)).all()


# Colours.


def bins_of(luma: Array, chroma: Array) -> Array:
    bins = Canary(chroma.shape[1:], np.int32)
    colour_bins(around(luma), around(chroma), bins.view)
    assert bins.sings()
    return bins.view.copy()


def colour(light: int, blue: int, red: int) -> int:
    return (light * CHROMA_BINS + blue) * CHROMA_BINS + red


@pytest.mark.parametrize(
    ("luma", "cb", "cr", "expected"),
    [
        pytest.param(0, 128, 128, (0, 24, 24), id="black"),
        pytest.param(255, 128, 128, (7, 24, 24), id="white"),
        pytest.param(31.75, 128, 127.99, (0, 24, 23), id="just-below"),
        pytest.param(32, 129, 126, (1, 25, 22), id="just-above"),
        pytest.param(100, 104, 151.9, (3, 0, 47), id="last-colours"),
        pytest.param(100, 105, 151, (3, 1, 47), id="last-but-one"),
        pytest.param(100, 0, 255, (3, 0, 47), id="beyond"),
        pytest.param(300, -9, 1e9, (7, 0, 47), id="no-picture"),
    ],
)
def test_colours_by_hand(luma: float, cb: float, cr: float, expected: tuple[int, int, int]) -> None:
    chroma = np.array([[[cb]], [[cr]]], np.float32)
    assert bins_of(np.full((2, 2), luma, np.float32), chroma)[0, 0] == colour(*expected)


def test_luma_is_the_mean_of_four() -> None:
    luma = np.array([[0, 255, 64, 64], [0, 1, 63, 64]], np.float32)  # means 64 and 63.75
    assert (bins_of(luma, np.full((2, 1, 2), 128, np.float32)) // CHROMA_BINS**2).tolist() == [[2, 1]]


@given(data=st.data(), shape=shapes)
def test_any_colour_matches_the_twin(data: st.DataObject, shape: tuple[int, int]) -> None:
    quarters = st.integers(0, 4 * 255).map(lambda n: n / 4)  # whose sums are exact
    luma = data.draw(arrays(np.float32, (2 * shape[0], 2 * shape[1]), elements=quarters))
    chroma = data.draw(arrays(np.float32, (2, *shape), elements=st.floats(0, 255, width=32)))
    np.testing.assert_array_equal(bins_of(luma, chroma), twins.colour_bins(luma, chroma))


@given(data=st.data(), shape=shapes)
def test_whatever_a_picture_holds_it_has_a_colour(data: st.DataObject, shape: tuple[int, int]) -> None:
    anything = st.floats(width=32) | st.sampled_from([1e30, -3e38, np.inf, -np.inf, np.nan])
    luma = data.draw(arrays(np.float32, (2 * shape[0], 2 * shape[1]), elements=anything))
    chroma = data.draw(arrays(np.float32, (2, *shape), elements=anything))
    with np.errstate(all="ignore"):
        bins = bins_of(luma, chroma)
    assert ((bins >= 0) & (bins < BINS)).all()


# Counts.


class Model:
    """Table and totals, with a margin around them."""

    def __init__(self, frames: list[twins.Seen]) -> None:
        self._table, self._totals = Canary((BINS, 3), np.int64), Canary((7,), np.int64)
        self.table, self.totals = self._table.view, self._totals.view
        self.table[:] = 0
        self.totals[:] = 0
        for frame in frames:
            self.count(frame, 1)

    def count(self, frame: twins.Seen, sign: int) -> None:
        count_colours(frame.energy, frame.bins, frame.edge, sign, self.table, self.totals)

    def sings(self) -> bool:
        return self._table.sings() and self._totals.sings()

    def weigh(self, energy: Array, bins: Array, border: int) -> Array:
        out = Canary(energy.shape, np.float32)
        weigh_by_colour(energy, bins, border, self.table, self.totals, out.view)
        assert out.sings()
        return out.view.copy()


few_colours = st.sampled_from([0, 1, 50, CHROMA_BINS**2 + 7, 24 * CHROMA_BINS + 24, BINS - 1])
some_colours = few_colours | st.integers(0, BINS - 1)


@st.composite
def frames(draw: st.DrawFn) -> list[twins.Seen]:
    """Frames of one size and one edge."""
    shape, edge = draw(shapes), draw(st.integers(0, 4))
    return [
        twins.Seen(
            draw(arrays(np.float32, shape, elements=energies)),
            draw(arrays(np.int32, shape, elements=draw(st.sampled_from([few_colours, some_colours])))),
            edge,
        )
        for _ in range(draw(st.integers(1, 4)))
    ]


def test_counts_by_hand() -> None:
    bins = np.full((3, 4), colour(1, 2, 3), np.int32)
    bins[0, 0] = bins[1, 1] = colour(0, 47, 0)
    energy = np.zeros((3, 4), np.float32)
    energy[1, 1], energy[2, 3] = 0.5, 2
    model = Model([twins.Seen(energy, bins, 1)])
    assert model.table[colour(1, 2, 3)].tolist() == [2 << 20, 10, 1]
    assert model.table[colour(0, 47, 0)].tolist() == [1 << 19, 2, 1]
    assert model.totals.tolist() == [(2 << 20) + (1 << 19), 12, 2, 114, 10 * 4 + 2 * 47**2, 30, 90]


@given(seen=frames())
def test_any_count_matches_the_twin(seen: list[twins.Seen]) -> None:
    model = Model(seen)
    np.testing.assert_array_equal(model.table, twins.colour_table(seen))
    assert model.totals.tolist() == twins.colour_totals(seen)
    assert model.sings()


@given(seen=frames(), data=st.data())
def test_what_leaves_leaves_nothing_behind(seen: list[twins.Seen], data: st.DataObject) -> None:
    model = Model(seen)
    order = data.draw(st.permutations(range(len(seen))))
    for number, here in enumerate(order):
        model.count(seen[here], -1)
        rest = [seen[k] for k in order[number + 1 :]]
        np.testing.assert_array_equal(model.totals, twins.colour_totals(rest) if rest else 0)
    assert not model.table.any()
    assert not model.totals.any()
    assert model.sings()


# Weights.


def two_colours(*energy: tuple[float, int]) -> tuple[Array, Array]:
    """One row of cells, each an energy and one of two colours far apart."""
    values = np.array([[pair[0] for pair in energy]], np.float32)
    return values, np.array([[(colour(3, 10, 10), colour(3, 30, 30))[pair[1]] for pair in energy]], np.int32)


def test_weights_by_hand() -> None:
    energy, bins = two_colours((4, 1), (0, 0), (0, 0), (0, 1))
    out = Model([twins.Seen(energy, bins, 0)]).weigh(energy, bins, 0)
    # Mean energy 1; two cells of the moving colour have 2 on average: (4 + 1/4) / (2 + 1/4); nothing is border.
    assert out[0].tolist() == pytest.approx([4**0.75 * (4.25 / 2.25) ** 1.5, 0, 0, 0], rel=1e-6)


def test_colours_along_the_border_weigh_less() -> None:
    bins = np.full((4, 4), colour(3, 10, 10), np.int32)
    bins[1:3, 1:3] = colour(3, 30, 30)
    energy = np.ones((4, 4), np.float32)
    out = Model([twins.Seen(energy, bins, 1)]).weigh(energy, bins, 0)
    # A quarter of all cells are not border: four of the four inside, none of the twelve outside.
    np.testing.assert_allclose(out[1:3, 1:3], ((4 + 2.5 / 4) / 6.5 / 0.25) ** 1.5, rtol=1e-6)
    np.testing.assert_allclose(out[0], ((0 + 2.5 / 4) / 14.5 / 0.25) ** 1.5, rtol=1e-6)


def test_colours_that_move_weigh_more() -> None:
    rng = np.random.default_rng(1)
    bins = np.where(rng.random((8, 8)) < 0.4, colour(3, 30, 30), colour(3, 10, 10)).astype(np.int32)
    energy = np.where(bins == colour(3, 30, 30), 2, 1).astype(np.float32)
    out = Model([twins.Seen(energy, bins, 0)]).weigh(np.ones((8, 8), np.float32), bins, 0)
    assert out[bins == colour(3, 30, 30)].min() > 1 > out[bins == colour(3, 10, 10)].max()


@pytest.mark.parametrize("spread", [0, 1, 3])
def test_a_grey_film_keeps_only_its_energy(spread: int) -> None:
    rng = np.random.default_rng(2)
    energy = rng.uniform(0, 9, (6, 7)).astype(np.float32)
    bins = np.empty((6, 7), np.int32)
    for row, col in np.ndindex(6, 7):  # standard deviations are at most half the spread of 2
        bins[row, col] = colour(rng.integers(LUMA_BINS), 24 + rng.integers(spread + 1), 24)
    model = Model([twins.Seen(energy, bins, 2)])
    assert is_grey(model.totals)
    np.testing.assert_allclose(model.weigh(energy, bins, 0), energy.astype(np.float64) ** 0.75, rtol=1e-6)


@pytest.mark.parametrize(("step", "grey"), [(3, True), (4, False)])
@pytest.mark.parametrize("plane", [0, 1])
def test_two_units_of_deviation_are_colour(step: int, grey: bool, plane: int) -> None:
    bins = np.array([[colour(0, 20, 20), colour(0, 20 + step * (1 - plane), 20 + step * plane)]], np.int32)
    assert is_grey(Model([twins.Seen(np.ones((1, 2), np.float32), bins, 0)]).totals) == grey


def test_an_empty_model_is_grey() -> None:
    model = Model([])
    assert is_grey(model.totals)
    assert model.weigh(np.full((1, 1), 16, np.float32), np.zeros((1, 1), np.int32), 0)[0, 0] == 8


def test_where_nothing_moves_nothing_weighs() -> None:
    energy, bins = two_colours((0, 0), (0, 1), (0, 1))
    assert not Model([twins.Seen(energy, bins, 0)]).weigh(energy, bins, 0).any()


def test_where_all_is_border_only_motion_counts() -> None:
    energy, bins = two_colours((1, 0), (3, 1))
    out = Model([twins.Seen(energy, bins, 9)]).weigh(energy, bins, 0)
    expected = [
        (1.5 / 2.5) ** 1.5,
        3**0.75 * (3.5 / 2.5) ** 1.5,
    ]  # A alone: (1 + 2 / 4) and (3 + 2 / 4), over 5 / 4 of 2
    np.testing.assert_allclose(out[0], expected, rtol=1e-6)


@given(seen=frames(), data=st.data(), border=st.integers(-1, 5))
def test_any_weight_matches_the_twin(seen: list[twins.Seen], data: st.DataObject, border: int) -> None:
    here = data.draw(st.sampled_from(seen))
    deviations = [float(values.std()) for values in twins.chroma_values(seen)]
    assume(min(abs(deviation - 2) for deviation in deviations) > 1e-9)  # neither side of "grey" is wrong there
    out = Model(seen).weigh(here.energy, here.bins, border)
    expected = twins.weigh_by_colour(here.energy, here.bins, max(border, 0), seen)
    np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-30)


@given(seen=frames())
def test_more_energy_weighs_more(seen: list[twins.Seen]) -> None:
    model, bins = Model(seen), seen[0].bins
    order = np.arange(bins.size, dtype=np.float32).reshape(bins.shape)
    once, twice = model.weigh(order, bins, 0), model.weigh(order + 1, bins, 0)
    assert (once <= twice).all()
    assert np.isfinite(twice).all()


# Means of chroma.


def chroma_of(
    plane: Array,
    width: int,
    shape: tuple[int, int],
    offset: tuple[int, int],
    shift: tuple[int, int],
    unit: float,
    step: int = 2,
) -> Array:
    means = Canary(shape, np.float32)
    mean_plane(plane, width, *offset, *shift, step, unit, means.view)
    assert means.sings()
    return means.view.copy()


def test_every_second_row_counts() -> None:
    plane = np.repeat(np.arange(10, 90, 10, dtype=np.uint8)[:, None], 5, axis=1)
    found = chroma_of(plane, 4, (2, 1), (0, 0), (2, 2), 1.0)
    assert found[:, 0].tolist() == [(10 + 30) / 2, (50 + 70) / 2]
    # One row before the picture: rows 0 and 2 of the first rectangle, 3 and 5, then 7 alone.
    assert chroma_of(plane, 4, (3, 1), (1, 0), (2, 2), 1.0)[:, 0].tolist() == [20, 50, 80]


def test_rectangles_need_not_be_square() -> None:
    plane = np.tile(np.arange(0, 80, 10, dtype=np.uint8), (2, 1))  # 4:2:2: half as wide, as high
    assert chroma_of(plane, 8, (1, 4), (0, 0), (2, 1), 1.0).tolist() == [[5, 25, 45, 65]]


@given(data=st.data(), dtype=st.sampled_from([np.uint8, np.uint16]))
def test_any_chroma_matches_the_twin(data: st.DataObject, dtype: type[np.unsignedinteger[Any]]) -> None:
    shift = data.draw(st.tuples(*[st.integers(0, 4)] * 2))
    offset = data.draw(st.tuples(*(st.integers(0, 2 << s) for s in shift)))
    picture = data.draw(arrays(dtype, st.tuples(st.integers(1, 17), st.integers(1, 17))))
    plane = np.pad(picture, ((0, 0), (0, data.draw(st.integers(0, 3)))), constant_values=199)
    shape = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    unit = data.draw(st.sampled_from([1.0, 0.25, 255 / 65535]))
    step = data.draw(st.integers(1, 5))
    found = chroma_of(plane, picture.shape[1], shape, offset, shift, unit, step)
    expected = twins.mean_rows(plane, picture.shape[1], offset, shift, step, unit, shape)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


# Correlation of pictures that were shifted.


def test_a_shift_brings_pictures_together() -> None:
    whole = np.random.default_rng(0).uniform(0, 255, (20, 24)).astype(np.float32)
    before, after = whole[2:14, 3:19], whole[4:16, :16]
    assert best_correlation(before, after, 2, 3) == pytest.approx(1, abs=1e-12)
    assert best_correlation(before, after, 2, 2) < 0.6
    assert best_correlation(before, after, 1, 3) < 0.6
    assert best_correlation(after, before, 2, 3) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("flat", [(True, True), (True, False), (False, True)])
def test_flat_pictures_have_nothing_in_common(flat: tuple[bool, bool]) -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (6, 8)).astype(np.float32)
    before, after = (np.full((6, 8), 99, np.float32) if even else picture for even in flat)
    assert best_correlation(before, after, 1, 2) == 0


def test_inverted_pictures_without_a_shift() -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (6, 8)).astype(np.float32)
    assert best_correlation(picture, 255 - picture, 0, 0) == pytest.approx(-1, abs=1e-12)


@given(data=st.data(), shape=shapes)
def test_any_shift_matches_the_twin(data: st.DataObject, shape: tuple[int, int]) -> None:
    reach = data.draw(st.tuples(*(st.integers(0, n // 2) for n in shape)))
    pictures = arrays(np.float32, shape, elements=st.floats(0, 255, width=32))
    before, after = data.draw(pictures), data.draw(pictures)
    for picture in (before, after):  # neither side of "flat" is wrong there
        parts = [
            twins.shifted(picture, y, x) for y in range(-reach[0], reach[0] + 1) for x in range(-reach[1], reach[1] + 1)
        ]
        assume(all(abs(part.var() - 1) > 1e-6 for part in parts))
    found = best_correlation(around(before), around(after), *reach)
    assert -1 <= found <= 1
    assert math.isfinite(found)
    assert found == pytest.approx(twins.best_correlation(before, after, *reach), abs=1e-9)
    assert best_correlation(after, before, *reach) == pytest.approx(found, abs=1e-12)
