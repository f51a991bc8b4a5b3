"""The stages that weigh evidence: pictures before and after, the border, colours; and all stages in a row."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mgmtool.kernels.camera import fit_camera
from mgmtool.masking._appearance import WINDOW, Appearance
from mgmtool.masking._batch import Batch, Item
from mgmtool.masking._evidence import Evidence, EvidenceOptions, border_cells, cells_of
from mgmtool.masking._residual import BATCH_FRAMES, ResidualEnergy
from mgmtool.types import FrameEnergy, FrameFlag, FrameMotion, PatchGrid
from support import twins, twins_evidence

Array = NDArray[Any]

CELL = 16
OPTIONS = EvidenceOptions(c=4.0, border=0, sigma_min=0.15, picture_check=True, kappa=2.0, border_motion=True)
GRID = PatchGrid(4, 5)


def frame(index: int, displacement: Array, **facts: Any) -> FrameMotion:
    """Frame of whole cells that are all covered, without pictures."""
    rows, cols = displacement.shape[:2]
    known = {
        "key_frame": False,
        "corrupt": False,
        "has_vectors": True,
        "coverage": np.ones((rows, cols), np.float32),
        "luma": None,
        "cell": CELL,
        "height": rows * CELL,
        "width": cols * CELL,
    }
    return FrameMotion(index, 10 * index, displacement=displacement.astype(np.float32), **(known | facts))


def some_frames(seed: int, count: int, shape: tuple[int, int] = (4, 5)) -> list[FrameMotion]:
    """Random vectors and pictures; one film in ten has no pictures."""
    rng = np.random.default_rng(seed)
    frames, pictured = [], seed % 10 > 0
    for index in range(count):
        luma = rng.uniform(0, 255, [2 * n for n in shape]).astype(np.float32) if pictured else None
        coverage = (rng.random(shape) < 0.8).astype(np.float32)
        motion = (rng.normal(0, 3, (*shape, 2)) + rng.normal(0, 9, 2)) * coverage[..., None]
        frames.append(frame(index, motion, luma=luma, coverage=coverage))
    return frames


def size(height: int, width: int, cell: int) -> FrameMotion:
    return frame(0, np.zeros((1, 1, 2)), height=height, width=width, cell=cell)


# Lengths in cells.


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        pytest.param(480, 854, {8: 4, 16: 2, 32: 1}, id="480p"),
        pytest.param(240, 426, {8: 2, 16: 1, 32: 1}, id="240p"),
        pytest.param(1080, 1920, {8: 9, 16: 4, 32: 2}, id="1080p"),
        pytest.param(1920, 1080, {8: 9, 16: 4, 32: 2}, id="portrait"),
        pytest.param(16, 16, {8: 1, 16: 1, 32: 1}, id="tiny"),
    ],
)
def test_the_border_is_32_pixels_at_480_lines(height: int, width: int, expected: dict[int, int]) -> None:
    for cell, cells in expected.items():
        assert border_cells(None, size(height, width, cell)) == cells
        assert [border_cells(asked, size(height, width, cell)) for asked in (0, 7)] == [0, 7]


@pytest.mark.parametrize(
    ("height", "width", "cell", "pixels", "expected"),
    [
        (480, 854, 16, 96, 6.0),
        (480, 854, 8, 64, 8.0),
        (240, 426, 16, 16, 0.5),
        (1080, 1920, 32, 112, 7.875),
        (1920, 1080, 32, 112, 7.875),
    ],
)
def test_lengths_scale_with_the_short_side(height: int, width: int, cell: int, pixels: float, expected: float) -> None:
    assert cells_of(pixels, size(height, width, cell)) == expected


# Evidence of one frame.


def evidence(
    frames: Iterable[FrameMotion],
    valid: Iterable[bool] | None = None,
    flushes: Iterable[int] = (),
    options: EvidenceOptions = OPTIONS,
) -> list[Array]:
    """Energy of every frame, each scene ending before the frames of ``flushes``."""
    stage, found = Evidence(options), []
    frames = list(frames)
    counts = [True] * len(frames) if valid is None else list(valid)
    for t, here in enumerate(frames):
        if t in set(flushes):
            found += triples(stage.flush())
        found += triples(stage.push([Item(here, FrameFlag(0))], [counts[t]]))
    found += triples(stage.flush())
    assert [item.frame for item, _, _ in found] == frames
    assert [counted for _, _, counted in found] == counts
    return [energy for _, energy, _ in found]


def triples(batch: Batch[Item]) -> list[tuple[Item, Array, bool]]:
    return list(zip(batch.items, batch.energy, batch.valid.tolist(), strict=True))


def expected_energy(
    frames: list[FrameMotion], valid: list[bool], flushes: set[int], options: EvidenceOptions, t: int
) -> Array:
    """Energy by the twins, from the definition."""
    here = frames[t]
    assert here.displacement is not None
    assert here.coverage is not None
    if not valid[t]:
        return np.zeros(here.coverage.shape)
    theta, raw = np.zeros((2, 3)), np.zeros(here.coverage.shape, np.float32)
    sigma = fit_camera(here.displacement, here.coverage, options.sigma_min, theta, raw)
    residual: Array = raw
    if options.border_motion:
        motion = twins_evidence.residual_motion(here.displacement, here.coverage, theta)
        cells = min(here.height, here.width) / 480 / here.cell
        along, deep = max(3, round(96 * cells)), max(2, round(64 * cells))
        residual = twins_evidence.explain_by_border(motion, here.coverage, along, deep, residual)
    first = max([0, *(start for start in flushes if start <= t)])
    last = min([len(frames), *(start for start in flushes if start > t)]) - 1
    for other in {max(first, t - 2), min(last, t + 1)} - {t} if options.picture_check else set():
        before, after = frames[other].luma, here.luma
        if before is not None and after is not None:
            steps = t - other
            assert steps in (2, 1, -1)
            flow = twins_evidence.normal_flow(before, after, steps * theta, here.cell / 2, residual.shape)
            residual = np.minimum(residual, options.kappa / abs(steps) * flow)
    return twins.saturating_energy(residual, sigma, options.c, border_cells(options.border, here))


@given(
    seed=st.integers(0, 2**32 - 1),
    valid=st.lists(st.booleans() | st.just(True), min_size=1, max_size=6),
    flushes=st.sets(st.integers(0, 6), max_size=2),
    options=st.builds(
        replace,
        st.just(OPTIONS),
        picture_check=st.booleans() | st.just(True),
        border_motion=st.booleans(),
        border=st.sampled_from([None, 0, 1]),
        kappa=st.sampled_from([0.05, 0.2, 2.0]),  # small ones, so that random pictures deny something
    ),
)
def test_any_evidence_matches_the_twins(
    seed: int, valid: list[bool], flushes: set[int], options: EvidenceOptions
) -> None:
    frames = some_frames(seed, len(valid), (3, 4))
    for t, energy in enumerate(evidence(frames, valid, flushes, options)):
        assert energy.dtype == np.float32
        expected = expected_energy(frames, valid, flushes, options, t)
        np.testing.assert_allclose(energy, expected, rtol=1e-3, atol=1e-4)  # of residuals of 20 over a noise of 0.15


def test_answers_come_one_frame_late() -> None:
    stage = Evidence(OPTIONS)
    for t, here in enumerate(some_frames(0, 4)):
        ready = [item.frame.index for item in stage.push([Item(here, FrameFlag(0))], [True]).items]
        assert ready == ([t - 1] if t else [])
    assert [item.frame.index for item in stage.flush().items] == [3]
    assert stage.flush().items == []


@given(cuts=st.lists(st.integers(0, 7), max_size=4))
def test_batches_of_any_size_have_the_same_evidence(cuts: list[int]) -> None:
    frames = some_frames(5, 7)
    stage, found = Evidence(replace(OPTIONS, kappa=0.05)), []
    for begin, end in itertools.pairwise([0, *sorted(cuts), 7]):
        part = [Item(here, FrameFlag(0)) for here in frames[begin:end]]
        found += triples(stage.push(part, [True] * len(part)))
    found += triples(stage.flush())
    for (_, energy, _), expected in zip(found, evidence(frames, options=replace(OPTIONS, kappa=0.05)), strict=True):
        np.testing.assert_array_equal(energy, expected)


def test_scenes_know_nothing_of_each_other() -> None:
    frames = some_frames(1, 9)
    options = replace(OPTIONS, kappa=0.05)  # the pictures decide
    apart = evidence(frames[:4], options=options) + evidence(frames[4:], options=options)
    np.testing.assert_array_equal(evidence(frames, flushes=[4], options=options), apart)
    assert not np.array_equal(evidence(frames, options=options), apart)


def lying(pictures: list[Array | None]) -> list[FrameMotion]:
    """Frames of 6 x 6 cells at rest but for one that claims to move by 9 pixels."""
    motion = np.zeros((6, 6, 2))
    motion[2, 3] = 0, 9
    return [frame(t, motion, luma=luma) for t, luma in enumerate(pictures)]


def board(seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(0, 255, (12, 12)).astype(np.float32)


LIE = float(np.log1p((9 / (4 * 0.15)) ** 2))
NOTHING = 1e-4
"""Energy that may be left where nothing moves: one cell of 36 takes the camera along by a thousandth of a pixel."""


@pytest.mark.parametrize(
    ("pictures", "seen"),
    [
        pytest.param("a", "1", id="alone"),
        pytest.param("aa", "00", id="denied-by-the-one-after-or-before"),
        pytest.param("ab", "11", id="confirmed"),
        pytest.param("aab", "001", id="denied-by-one-of-two"),
        pytest.param("abb", "101", id="denied-by-the-one-after"),
        pytest.param("aba", "110", id="two-back-counts-not-one-back"),
        pytest.param("abcd", "1111", id="always-another-picture"),
        pytest.param("...", "111", id="no-pictures"),
        pytest.param("abcb", "1110", id="denied-two-back"),
    ],
)
def test_motion_that_the_pictures_deny_is_none(pictures: str, seen: str) -> None:
    frames = lying([None if name == "." else board(ord(name)) for name in pictures])
    for energy, moves in zip(evidence(frames), seen, strict=True):
        assert energy[2, 3] > 0.5 if moves == "1" else energy.max() < NOTHING


def test_without_the_picture_check_vectors_are_believed() -> None:
    frames = lying([board()] * 3)
    for energy in evidence(frames, options=replace(OPTIONS, picture_check=False)):
        assert energy[2, 3] == pytest.approx(LIE, rel=1e-4)


@pytest.mark.parametrize("camera", [(0, 8), (0, -16), (8, 8)])
def test_pictures_are_followed_with_the_camera(camera: tuple[int, int]) -> None:
    whole = np.random.default_rng(0).uniform(0, 255, (30, 30)).astype(np.float32)
    dy, dx = (step // 8 for step in camera)  # in samples
    motion = np.full((6, 6, 2), camera, np.float64)
    motion[2, 3] += 0, 9
    pictures = [whole[9 - t * dy : 21 - t * dy, 9 - t * dx : 21 - t * dx] for t in range(3)]
    frames = [frame(t, motion, luma=np.ascontiguousarray(picture)) for t, picture in enumerate(pictures)]
    for energy in evidence(frames):  # denied by the one after, by both, by those before
        assert energy[2, 3] < 0.01


def test_the_bound_is_kappa_times_the_flow_a_frame() -> None:
    slope = np.tile(np.arange(0, 240, 20, dtype=np.float32), (12, 1))
    frames = lying([slope, slope, slope - np.float32(20 / 8 * 3)])  # three pixels in two frames, or in one
    quiet = replace(OPTIONS, border_motion=False)
    for kappa in (1.0, 2.0):
        energies = evidence(frames, options=replace(quiet, kappa=kappa))
        bound = kappa * 3 / 2 * 400 / 416
        assert energies[2][2, 3] == pytest.approx(np.log1p((bound / 0.6) ** 2), rel=1e-3)


def test_frames_that_do_not_count_have_no_energy_but_a_picture() -> None:
    frames = lying([board(0), board(1), board(0)])
    energies = evidence(frames, [True, False, True])
    assert energies[0][2, 3] > 0.5
    assert not energies[1].any()
    assert energies[2].max() < NOTHING  # two back is the same picture
    assert evidence(frames[:2], [True, False])[0][2, 3] > 0.5


@pytest.mark.parametrize(("on", "seen"), [(True, False), (False, True)])
def test_motion_like_that_of_a_side_is_background(on: bool, seen: bool) -> None:
    motion = np.zeros((16, 16, 2))
    motion[:2] = motion[8, 8] = 0, 6  # a side, blocks of 3 x 2 cells, and a thing
    motion[12, 4] = 5, 0
    (energy,) = evidence([frame(0, motion)], options=replace(OPTIONS, border_motion=on))
    assert (energy[8, 8] > 1) == (energy[:2].min() > 1) == seen
    assert energy[8, 8] > 1 or energy[:9].max() < 0.1
    assert energy[12, 4] > 1


def test_motion_is_needed() -> None:
    blind = frame(3, np.zeros((2, 2, 2)))._replace(displacement=None, coverage=None)
    with pytest.raises(ValueError, match="frame 3 comes without motion"):
        all_stages([blind])


# Appearance.

COLOURS = np.array([(128, 128), (110, 140), (150, 120), (131, 131)], np.float32)


def coloured(seed: int, count: int, shape: tuple[int, int] = (3, 4), colours: int = 4) -> list[tuple[Item, Array]]:
    """Frames with energy and colours at random."""
    rng = np.random.default_rng(seed)
    seen = []
    for index in range(count):
        chroma = np.moveaxis(COLOURS[rng.integers(0, colours, shape)], -1, 0)
        luma = rng.integers(0, 256, (2 * shape[0], 2 * shape[1])).astype(np.float32)
        energy = rng.uniform(0, 5, shape) * (rng.random(shape) < 0.4)
        here = frame(index, np.zeros((*shape, 2)), luma=luma, chroma=np.ascontiguousarray(chroma))
        seen.append((Item(here, FrameFlag(0)), energy.astype(np.float32)))
    return seen


def weighed(stage: Appearance, seen: Iterable[tuple[Item, Array]]) -> list[tuple[Item, Array]]:
    found = [ready for item, energy in seen for ready in pairs(stage.push(alone(item, energy)))]
    return found + pairs(stage.flush())


def alone(item: Item, energy: Array) -> Batch[Item]:
    """Return a batch of one frame."""
    return Batch([item], np.array([True]), energy[None])


def pairs(batch: Batch[Item]) -> list[tuple[Item, Array]]:
    return list(zip(batch.items, batch.energy, strict=True))


def by_the_window(seen: list[tuple[Item, Array]]) -> list[Array]:
    """Weigh every frame by all those up to 32 away, counted anew."""
    known = []
    for item, energy in seen:
        here = item.frame
        assert here.luma is not None
        assert here.chroma is not None
        sigma, edge = (pixels * min(here.height, here.width) / 480 / here.cell for pixels in (16, 112))
        bins = twins_evidence.colour_bins(here.luma, here.chroma)
        blurred = twins_evidence.blur(energy, sigma).astype(np.float32)
        known.append(twins_evidence.Seen(blurred, bins, round(edge)))
    windows = [known[max(0, t - 32) : t + 33] for t in range(len(known))]
    return [
        twins_evidence.weigh_by_colour(here.energy, here.bins, 1, window)
        for here, window in zip(known, windows, strict=True)
    ]


def assert_weighed(found: list[tuple[Item, Array]], seen: list[tuple[Item, Array]]) -> None:
    assert [item for item, _ in found] == [item for item, _ in seen]
    for (_, energy), expected in zip(found, by_the_window(seen), strict=True):
        assert energy.dtype == np.float32
        np.testing.assert_allclose(energy, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("count", [1, 5, 33, 70])
def test_the_window_is_32_frames_on_each_side(count: int) -> None:
    seen = coloured(count, count)
    assert_weighed(weighed(Appearance(None), seen), seen)


def test_frames_beyond_the_window_change_nothing() -> None:
    seen = coloured(1, 70)
    usual = weighed(Appearance(0), seen)
    item, energy = seen[33]
    other = weighed(Appearance(0), [*seen[:33], (item, energy + 50), *seen[34:]])
    changed = [t for t in range(70) if not np.array_equal(usual[t][1], other[t][1])]
    assert changed == list(range(1, 66))


def test_colours_come_at_most_32_frames_late() -> None:
    stage, seen = Appearance(None), coloured(0, 40)
    for t, (item, energy) in enumerate(seen):
        ready = stage.push(alone(item, energy)).items
        assert [here.frame.index for here in ready] == ([t - WINDOW] if t >= WINDOW else [])
    assert [here.frame.index for here in stage.flush().items] == list(range(8, 40))
    assert stage.flush().items == []


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 90), max_size=5))
def test_batches_of_any_size_are_weighed_the_same(cuts: list[int]) -> None:
    seen, stage = coloured(3, 90), Appearance(0)
    found = []
    for begin, end in itertools.pairwise([0, *sorted(cuts), 90]):
        part = seen[begin:end]
        energy = np.array([values for _, values in part], np.float32).reshape(-1, 3, 4)
        found += pairs(stage.push(Batch([item for item, _ in part], np.ones(len(part), bool), energy)))
    found += pairs(stage.flush())
    for (item, energy), (same, expected) in zip(found, weighed(Appearance(0), seen), strict=True):
        assert item is same
        np.testing.assert_array_equal(energy, expected)


def test_colours_are_forgotten_at_the_end_of_a_scene() -> None:
    stage = Appearance(None)
    for seen in (coloured(0, 6), coloured(1, 40), coloured(2, 3)):
        assert_weighed(weighed(stage, seen), seen)


def test_a_grey_film_is_only_blurred_and_damped() -> None:
    seen = coloured(0, 4, colours=1)
    for (_, energy), (_, raw) in zip(weighed(Appearance(0), seen), seen, strict=True):
        np.testing.assert_allclose(energy, twins_evidence.blur(raw, 16 * 48 / 480 / 16) ** 0.75, rtol=1e-5, atol=1e-6)


# All stages.


def pictured(seed: int, scenes: list[int], vectors: list[bool], colours: list[bool]) -> list[FrameMotion]:
    """Random vectors over one still picture a scene."""
    rng = np.random.default_rng(seed)
    frames = []
    for t, (scene, moves, colour) in enumerate(zip(scenes, vectors, colours, strict=True)):
        luma = np.random.default_rng(scene).uniform(0, 255, (8, 10)).astype(np.float32)
        luma += rng.uniform(0, 9, luma.shape).astype(np.float32)
        chroma = np.moveaxis(COLOURS[rng.integers(0, 4, (4, 5))], -1, 0)
        facts = {"luma": luma, "chroma": np.ascontiguousarray(chroma) if colour else None, "has_vectors": moves}
        frames.append(frame(t, rng.normal(0, 3, (4, 5, 2)) * moves, **facts))
    return frames


def all_stages(frames: list[FrameMotion]) -> list[FrameEnergy]:
    return list(ResidualEnergy(replace(OPTIONS, border=None), 1, True).energies(iter(frames), GRID))


@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**32 - 1),
    facts=st.lists(
        st.tuples(st.booleans(), st.booleans() | st.just(True), st.booleans() | st.just(True)), min_size=1, max_size=9
    ),
)
def test_every_frame_comes_out_once_and_in_order(seed: int, facts: list[tuple[bool, bool, bool]]) -> None:
    scenes = np.cumsum([changes for changes, _, _ in facts]).tolist()
    vectors, colours = [moves for _, moves, _ in facts], [colour for _, _, colour in facts]
    frames = pictured(seed, scenes, vectors, colours)
    found = all_stages(frames)
    assert [energy.pts for energy in found] == [here.pts for here in frames]
    starts = [t for t in range(1, len(frames)) if scenes[t] != scenes[t - 1]]
    assert [t for t, energy in enumerate(found) if FrameFlag.SCENE_CUT in energy.flags] == starts
    for t, energy in enumerate(found):
        assert (FrameFlag.PROPAGATED in energy.flags) == (not vectors[t] or t in starts)
        assert (FrameFlag.HAS_VECTORS in energy.flags) == vectors[t]
        assert energy.energy is not None
        assert energy.energy.shape == (4, 5)
        assert np.isfinite(energy.scale)
    # Each scene is as it would be alone, its first frame without vectors.
    for begin, end in zip([0, *starts], [*starts, len(frames)], strict=True):
        scene = frames[begin:end]
        if begin:
            scene[0] = scene[0]._replace(has_vectors=False)
        for alone, within in zip(all_stages(scene), found[begin:end], strict=True):
            assert alone.scale == within.scale
            np.testing.assert_array_equal(alone.energy, within.energy)


def test_stages_hold_what_they_look_ahead() -> None:
    frames, taken = pictured(0, [0] * 150, [True] * 150, [True] * 150), 0

    def counted() -> Iterable[FrameMotion]:
        nonlocal taken
        for here in frames:
            taken += 1
            yield here

    for appearance, ahead in ((False, 1 + 2), (True, 1 + 2 + 32)):
        taken = 0
        stages = ResidualEnergy(OPTIONS, 2, appearance)
        lead = [taken - given for given, _ in enumerate(stages.energies(counted(), GRID), 1)]
        assert max(lead) < ahead + BATCH_FRAMES
