"""The stages between motion and energy: pooling over time, scene cuts, random numbers, flags."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mgmtool.kernels.luma import best_correlation, correlation, mean_difference
from mgmtool.masking._batch import Batch
from mgmtool.masking._cuts import CutDetector
from mgmtool.masking._draws import below, derive_seed, draws
from mgmtool.masking._pooling import TemporalPool
from mgmtool.masking.base import known_flags
from mgmtool.types import FrameFlag, FrameMotion
from support.moving import panning, texture

Array = NDArray[Any]

# Pooling.


def alone(item: int, energy: Array, valid: bool = True) -> Batch[int]:
    """Return a batch of one frame."""
    return Batch([item], np.array([valid]), energy[None].astype(np.float32))


def pairs(batch: Batch[int]) -> list[tuple[int, Array]]:
    return list(zip(batch.items, batch.energy, strict=True))


def pooled(energies: list[Array], valid: list[bool], half: int, flushes: set[int]) -> list[tuple[int, Array]]:
    """Push every frame, ending the scene before the frames of ``flushes`` and after the last."""
    pool: TemporalPool[int] = TemporalPool(half)
    found = []
    for t, energy in enumerate(energies):
        if t in flushes:
            found += pairs(pool.flush())
        found += pairs(pool.push(alone(t, energy, valid[t])))
    return found + pairs(pool.flush())


def triangular(energies: list[Array], valid: list[bool], half: int, flushes: set[int], t: int) -> Array:
    """Weighted mean over the valid frames of the same scene, zero where there is none."""
    scene = [sum(start <= i for start in flushes) for i in range(len(energies))]
    near = [i for i in range(len(energies)) if abs(i - t) <= half and scene[i] == scene[t] and valid[i]]
    weights = [half + 1 - abs(i - t) for i in near]
    total: Array = sum(
        (w * energies[i].astype(np.float64) for w, i in zip(weights, near, strict=True)), np.zeros((2, 3))
    )
    return total / max(sum(weights), 1)


@given(valid=st.lists(st.booleans(), max_size=14), half=st.integers(0, 3), data=st.data())
def test_pooling_is_a_triangular_mean_within_the_scene(valid: list[bool], half: int, data: st.DataObject) -> None:
    flushes = data.draw(st.sets(st.integers(0, 14), max_size=4))
    rng = np.random.default_rng(len(valid))
    energies = [rng.random((2, 3)).astype(np.float32) for _ in valid]
    found = pooled(energies, valid, half, flushes)
    assert [t for t, _ in found] == list(range(len(valid)))
    for t, energy in found:
        assert energy.dtype == np.float32
        np.testing.assert_allclose(energy, triangular(energies, valid, half, flushes, t), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("half", [0, 1, 3])
def test_answers_come_as_early_as_they_can(half: int) -> None:
    pool: TemporalPool[int] = TemporalPool(half)
    for t in range(9):
        ready = pool.push(alone(t, np.ones((1, 1)))).items
        assert ready == ([t - half] if t >= half else [])
    assert pool.flush().items == list(range(9 - half, 9))
    assert pool.flush().items == []


@given(cuts=st.lists(st.integers(0, 20), max_size=5), half=st.integers(0, 3))
def test_batches_of_any_size_give_the_same(cuts: list[int], half: int) -> None:
    rng = np.random.default_rng(half)
    energies, valid = list(rng.random((20, 2, 3)).astype(np.float32)), (rng.random(20) < 0.7).tolist()
    pool: TemporalPool[int] = TemporalPool(half)
    found = []
    for begin, end in itertools.pairwise([0, *sorted(cuts), 20]):
        found += pairs(
            pool.push(
                Batch(
                    list(range(begin, end)),
                    np.array(valid[begin:end], bool),
                    np.array(energies[begin:end], np.float32).reshape(-1, 2, 3),
                )
            )
        )
    found += pairs(pool.flush())
    one_by_one = pooled(energies, valid, half, set())
    assert [t for t, _ in found] == list(range(20))
    for (_, energy), (_, expected) in zip(found, one_by_one, strict=True):
        np.testing.assert_array_equal(energy, expected)


def test_pooled_energies_are_kept_apart() -> None:
    pool: TemporalPool[int] = TemporalPool(0)
    ((_, first),) = pairs(pool.push(alone(0, np.full((1, 1), 1))))
    ((_, second),) = pairs(pool.push(alone(1, np.full((1, 1), 2))))
    assert (first[0, 0], second[0, 0]) == (1, 2)


# Scene cuts.


def small(seed: int, shift: int = 0) -> Array:
    """A small luma picture: every eighth pixel of a texture that has moved to the left."""
    return texture(96, 192, seed)[::8, shift : shift + 128 : 8].astype(np.float32)


def cut_between(before: Array | None, after: Array | None) -> bool:
    detector = CutDetector()
    assert not detector.is_cut(before)
    return detector.is_cut(after)


@pytest.mark.parametrize("seed", range(5))
def test_another_picture_is_a_cut(seed: int) -> None:
    assert cut_between(small(seed), small(seed + 50))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shift", [0, 2, 8, 16, 20, 24])
def test_a_pan_is_no_cut(seed: int, shift: int) -> None:
    assert not cut_between(small(seed), small(seed, shift))
    assert not cut_between(small(seed, shift), small(seed))


@pytest.mark.parametrize("seed", range(5))
def test_a_fast_pan_would_be_a_cut_but_for_the_shift(seed: int) -> None:
    before, after = small(seed), small(seed, 24)  # three columns of sixteen, as far as shifts are tried
    assert mean_difference(before, after) >= 18
    assert correlation(before, after) <= 0.6
    assert best_correlation(before, after, 2, 3) > 0.95
    assert not cut_between(before, after)


@pytest.mark.parametrize("step", [(12, 20), (-16, 28)])
def test_a_fast_pan_is_no_cut_in_any_direction_and_size(step: tuple[int, int]) -> None:
    before, after = panning(2, 144, 256, step, seed=3)
    for every in (8, 2):  # 32 columns, and 128, which are halved
        here, there = (picture[::every, ::every].astype(np.float32) for picture in (before, after))
        assert correlation(here, there) <= 0.6
        assert not cut_between(here, there)
        assert cut_between(here, texture(144, 256, 60)[::every, ::every].astype(np.float32))


@pytest.mark.parametrize("gain", [0.4, 1.0, 1.6])
@pytest.mark.parametrize("light", [-60.0, 0.0, 90.0])
def test_a_flash_is_no_cut(gain: float, light: float) -> None:
    assert not cut_between(small(0), small(0) * np.float32(gain) + np.float32(light))


def test_a_faint_change_is_no_cut() -> None:
    # Nothing in common, yet nearly alike: both are almost black.
    assert not cut_between(small(0) / 20, small(50) / 20)


def test_black_is_a_cut_from_a_picture_but_not_from_white() -> None:
    black, white = np.zeros((12, 16), np.float32), np.full((12, 16), 255, np.float32)
    assert cut_between(small(0), black)
    assert cut_between(black, small(0))
    assert not cut_between(black, white)


@pytest.mark.parametrize("shape", [(4, 260), (1, 300), (3, 65), (260, 4)])
def test_wide_and_thin_pictures_can_be_compared(shape: tuple[int, int]) -> None:
    pictures = [np.random.default_rng(seed).random(shape).astype(np.float32) * 255 for seed in range(2)]
    assert cut_between(*pictures)


def test_another_size_is_a_cut() -> None:
    assert cut_between(small(0), small(0)[:-1])
    assert cut_between(small(0), small(0)[:, :-1])


def test_without_pictures_there_are_no_cuts() -> None:
    assert not cut_between(None, small(0))
    assert not cut_between(small(0), None)
    detector = CutDetector()
    assert [detector.is_cut(picture) for picture in (small(0), None, small(50))] == [False, False, False]


def test_cuts_are_found_each_time() -> None:
    detector = CutDetector()
    scenes = [0, 0, 50, 50, 50, 0, 50, 50]
    assert [detector.is_cut(small(seed)) for seed in scenes] == [False, False, True, False, False, True, True, False]


# Random numbers.


@given(
    seed=st.integers(0, 2**64 - 1),
    first=st.integers(0, 2**40),
    rows=st.integers(0, 6),
    per_row=st.integers(1, 9),
    data=st.data(),
)
def test_rows_are_the_same_however_they_are_cut(
    seed: int, first: int, rows: int, per_row: int, data: st.DataObject
) -> None:
    split = data.draw(st.integers(0, rows))
    whole = draws(seed, first, rows, per_row)
    assert whole.shape == (rows, per_row)
    assert whole.dtype == np.uint64
    parts = [draws(seed, first, split, per_row), draws(seed, first + split, rows - split, per_row)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_draws_do_not_repeat() -> None:
    assert len(np.unique(draws(7, 0, 100, 6))) == 600
    assert not (draws(7, 0, 10, 4) == draws(8, 0, 10, 4)).any()


def test_draws_stay_the_same_for_ever() -> None:
    assert draws(0, 0, 1, 2).tolist() == [[213000021201967259, 4455796210202625458]]
    assert draws(0, 1, 1, 2).tolist() == [[9267267987884836803, 5120919030223861725]]


@given(limit=st.integers(1, 2**32), seed=st.integers(0, 100))
def test_remainders_are_below_their_limit(limit: int, seed: int) -> None:
    raw = draws(seed, 0, 4, 4)
    values = below(raw, limit)
    assert values.dtype == np.int64
    assert values.ravel().tolist() == [value % limit for value in raw.ravel().tolist()]


def test_every_value_is_drawn_as_often() -> None:
    counts = np.bincount(below(draws(0, 0, 1000, 7), 7).ravel(), minlength=7)
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_seeds_stay_the_same_for_ever() -> None:
    assert derive_seed(0, "folder/clip.mp4") == 2425284405771936865
    assert 0 <= derive_seed() < 2**64


def test_seeds_depend_on_every_part() -> None:
    parts = [(), ("",), (0,), (0, "a"), ("0a",), ("a", 0), (0, "b"), (1, "a"), ("0", "a", ""), (0, "ä"), (0, "\udcff")]
    assert len({derive_seed(*given) for given in parts}) == len(parts) - 1  # nothing and the empty text are alike
    assert derive_seed(0, "a") == derive_seed("0", "a")


# Flags.


@pytest.mark.parametrize("key_frame", [False, True])
@pytest.mark.parametrize("has_vectors", [False, True])
@pytest.mark.parametrize("corrupt", [False, True])
def test_known_flags(key_frame: bool, has_vectors: bool, corrupt: bool) -> None:
    frame = FrameMotion(0, 0, key_frame, corrupt, has_vectors, None, None, None, 16, 32, 48)
    assert int(known_flags(frame)) == 1 * key_frame + 2 * has_vectors + 16 * corrupt


def test_the_bits_of_the_store_stay_the_same_for_ever() -> None:
    names = ["KEY_FRAME", "HAS_VECTORS", "PROPAGATED", "SCENE_CUT", "CORRUPT", "FALLBACK"]
    assert {flag.name: int(flag) for flag in FrameFlag} == {name: 1 << bit for bit, name in enumerate(names)}
