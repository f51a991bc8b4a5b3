"""What every mask scheme keeps, whatever it hides; then each scheme on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mgmtool import masking
from mgmtool.errors import UsageError
from mgmtool.masking.simulated_motion import reflect
from mgmtool.types import FrameFlag, FrameMotion, PatchGrid, Placement, PlacementRequest, TokenLayout

Array = NDArray[Any]
Place = tuple[int, int]

SEEDLESS = {"motion-guided", "centre-box", "boxes", "top-motion"}
"""Schemes that draw nothing at random; ``boxes`` does among objects, and there are none here."""

LOOKS_AHEAD = {"motion-guided", "boxes"}
"""Schemes whose box depends on frames to come."""

FRAMES = 8

every_scheme = pytest.mark.parametrize("name", masking.names())
CLIPS_ONLY = [name for name in masking.names() if not masking.build(name).volumes]
VOLUMES = [name for name in masking.names() if name not in CLIPS_ONLY]


def layout(grid: str, ratio: float) -> TokenLayout:
    return TokenLayout.of(PatchGrid.parse(grid), ratio)


def some_energy(rows: int, cols: int, frames: int = FRAMES) -> Array:
    """Random energy, with frames that have none: one in the middle and the last two."""
    energy = np.random.default_rng(rows * cols).random((frames, rows, cols)).astype(np.float32)
    energy[frames // 2] = 0
    energy[-2:] = 0
    return energy


def request(
    grid: str = "14x14", ratio: float = 0.25, frames: int = FRAMES, seed: int = 0, *, clip: bool = False
) -> PlacementRequest:
    wanted = layout(grid, ratio)
    cut = np.zeros(frames, np.bool_)
    cut[frames // 2 :: 3] = True
    return PlacementRequest(some_energy(wanted.rows, wanted.cols, frames), cut, wanted, seed, clip=clip)


def place(name: str, asked: PlacementRequest, **options: Any) -> Placement:
    return masking.build(name, options).place(asked)


def bytes_of(placed: Placement) -> tuple[bytes, bytes, bytes]:
    return placed.mask.tobytes(), placed.corner.tobytes(), placed.fallback.tobytes()


def assert_same(left: Placement, right: Placement) -> None:
    np.testing.assert_array_equal(left.mask, right.mask)
    np.testing.assert_array_equal(left.corner, right.corner)
    np.testing.assert_array_equal(left.fallback, right.fallback)


every_grid = pytest.mark.parametrize("grid", ["14x14", "7x9", "1x1", "16x16", "1x5"])
every_ratio = pytest.mark.parametrize("ratio", [0.0, 0.01, 0.1, 0.25, 0.5, 0.6, 0.75, 0.9, 0.99, 1.0])


def assert_exact(placed: Placement, asked: PlacementRequest, *, over_the_clip: bool) -> None:
    counts = placed.mask.sum(axis=(1, 2))
    assert counts.sum() == asked.layout.masked * len(counts)
    assert over_the_clip or (counts == asked.layout.masked).all()


@every_scheme
@every_grid
@every_ratio
@pytest.mark.parametrize("frames", [1, FRAMES])
def test_clips_hide_the_exact_count(name: str, grid: str, ratio: float, frames: int) -> None:
    asked = request(grid, ratio, frames, clip=True)
    placed = place(name, asked)
    assert placed.mask.shape == asked.energy.shape
    assert placed.mask.dtype == np.bool_
    assert masking.build(name).exact in {"tubelet", "clip"}
    assert_exact(placed, asked, over_the_clip=masking.build(name).exact == "clip")
    assert (placed.fallback.shape, placed.fallback.dtype) == ((frames,), np.bool_)


@pytest.mark.parametrize("name", VOLUMES)
@every_grid
@every_ratio
def test_every_frame_of_a_volume_hides_the_same_count(name: str, grid: str, ratio: float) -> None:
    asked = request(grid, ratio)
    placed = place(name, asked)
    assert placed.mask.shape == asked.energy.shape
    assert placed.mask.dtype == np.bool_
    assert_exact(placed, asked, over_the_clip=False)
    assert placed.fallback.shape == (FRAMES,)
    assert placed.fallback.dtype == np.bool_


@pytest.mark.parametrize("name", CLIPS_ONLY)
def test_what_spans_a_clip_is_refused_in_a_volume(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} hides .*; it is for clips$"):
        place(name, request())


@every_scheme
def test_what_a_scheme_looks_at_is_declared(name: str) -> None:
    scheme = masking.build(name)
    assert type(scheme.needs_motion) is type(scheme.needs_tracks) is type(scheme.volumes) is bool
    assert scheme.volumes or not scheme.needs_motion, "evaluation and loader take energy from a volume of the scheme"


@every_scheme
@pytest.mark.parametrize("grid", ["14x14", "7x9", "1x1"])
@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_boxes_are_inside_and_agree_with_the_mask(name: str, grid: str, ratio: float) -> None:
    asked = request(grid, ratio, clip=True)
    placed = place(name, asked)
    assert placed.corner.shape == (FRAMES, 2)
    assert placed.corner.dtype == np.int16
    if (placed.corner == -1).all():
        return
    for mask, (y, x) in zip(placed.mask, placed.corner.tolist(), strict=True):
        assert 0 <= y <= asked.layout.rows - asked.layout.box_rows
        assert 0 <= x <= asked.layout.cols - asked.layout.box_cols
        box = np.zeros_like(mask)
        box[y : y + asked.layout.box_rows, x : x + asked.layout.box_cols] = True
        assert not (box & ~mask).any() or not (mask & ~box).any()


@every_scheme
def test_equal_seeds_give_equal_masks(name: str) -> None:
    assert_same(place(name, request(seed=5, clip=True)), place(name, request(seed=5, clip=True)))


@every_scheme
def test_other_seeds_give_other_masks_where_anything_is_random(name: str) -> None:
    different = {bytes_of(place(name, request(seed=seed, clip=True))) for seed in range(8)}
    assert len(different) == 1 if name in SEEDLESS else len(different) >= 3


@every_scheme
def test_the_request_is_left_alone(name: str) -> None:
    asked = request(clip=True)
    energy, cut = asked.energy.copy(), asked.cut.copy()
    place(name, asked)
    np.testing.assert_array_equal(asked.energy, energy)
    np.testing.assert_array_equal(asked.cut, cut)


def run(asked: PlacementRequest, begin: int, end: int, before: Placement | None) -> PlacementRequest:
    """Frames begin..end-1, placed after the run ``before``."""
    last = (
        None if before is None or before.corner[-1, 0] < 0 else (int(before.corner[-1, 0]), int(before.corner[-1, 1]))
    )
    frames = slice(begin, end)
    return replace(asked, energy=asked.energy[frames], cut=asked.cut[frames], first=begin, previous=last)


@pytest.mark.parametrize("name", [name for name in VOLUMES if name not in LOOKS_AHEAD])
@pytest.mark.parametrize("split", [1, 3, 4, 7])
def test_runs_are_placed_as_the_whole(name: str, split: int) -> None:
    asked = request(seed=3)
    whole = place(name, asked)
    first = place(name, run(asked, 0, split, None))
    second = place(name, run(asked, split, FRAMES, first))
    joined = (np.concatenate([getattr(p, k) for p in (first, second)]) for k in ("mask", "corner", "fallback"))
    assert_same(Placement(*joined), whole)


# Energies.


def motion(index: int, *, moving: bool = True, **facts: Any) -> FrameMotion:
    """Frame of 5 x 6 cells of 16 pixels, cut by a picture of 75 x 90; one cell moves against the rest."""
    displacement = np.zeros((5, 6, 2), np.float32)
    displacement[2, 3] = 3, 9
    known = {"key_frame": index == 0, "corrupt": False, "has_vectors": moving, "luma": None} | facts
    coverage = np.full((5, 6), float(moving), np.float32)
    return FrameMotion(index, 10 * index, displacement=displacement * moving, coverage=coverage, **known, **SIZE)


SIZE = {"cell": 16, "height": 75, "width": 90}


def clip() -> list[FrameMotion]:
    return [motion(i, moving=i not in {0, 4}, corrupt=i == 5) for i in range(9)]


@every_scheme
def test_one_energy_a_frame_in_order(name: str) -> None:
    scheme = masking.build(name)
    energies = list(scheme.energies(clip(), PatchGrid(4, 7)))
    assert [energy.pts for energy in energies] == [frame.pts for frame in clip()]
    for energy in energies:
        assert (energy.energy is not None) == scheme.needs_motion
        if energy.energy is not None:
            assert energy.energy.shape == (4, 7)
            assert energy.energy.dtype == np.uint8
            assert (energy.scale > 0) == energy.energy.any()


@every_scheme
def test_flags_say_what_is_known_of_a_frame(name: str) -> None:
    for energy, frame in zip(masking.build(name).energies(clip(), PatchGrid(4, 4)), clip(), strict=True):
        assert (FrameFlag.KEY_FRAME in energy.flags) == frame.key_frame
        assert (FrameFlag.HAS_VECTORS in energy.flags) == frame.has_vectors
        assert (FrameFlag.CORRUPT in energy.flags) == frame.corrupt
        assert FrameFlag.SCENE_CUT not in energy.flags
        assert FrameFlag.FALLBACK not in energy.flags


@every_scheme
def test_no_frames_no_energies(name: str) -> None:
    assert list(masking.build(name).energies([], PatchGrid(4, 4))) == []


@every_scheme
def test_only_a_few_frames_are_held(name: str) -> None:
    taken = 0
    pictures = {"luma": np.full((10, 12), 90, np.float32), "chroma": np.full((2, 5, 6), 128, np.float32)}

    def counted() -> Iterator[FrameMotion]:
        nonlocal taken
        for index in range(300):
            taken += 1
            yield motion(index, **pictures)

    for given, _ in enumerate(masking.build(name).energies(counted(), PatchGrid(2, 2))):
        assert taken <= given + 36 + 32  # what the stages look ahead, and a batch


moving_schemes = pytest.mark.parametrize("name", [name for name in masking.names() if masking.build(name).needs_motion])


@moving_schemes
def test_frames_without_vectors_are_marked_as_propagated(name: str) -> None:
    for energy, frame in zip(masking.build(name).energies(clip(), PatchGrid(4, 4)), clip(), strict=True):
        assert (FrameFlag.PROPAGATED in energy.flags) == (not frame.has_vectors)


@moving_schemes
def test_cuts_are_marked_where_the_picture_changes(name: str) -> None:
    pictures = [np.random.default_rng(t // 3).random((10, 12)).astype(np.float32) * 255 for t in range(9)]
    frames = [motion(t, luma=picture) for t, picture in enumerate(pictures)]
    energies = list(masking.build(name).energies(frames, PatchGrid(4, 4)))
    assert [t for t, energy in enumerate(energies) if FrameFlag.SCENE_CUT in energy.flags] == [3, 6]
    assert [energy.pts for energy in energies] == [frame.pts for frame in frames]


@moving_schemes
def test_energy_is_where_something_moves(name: str) -> None:
    for energy in list(masking.build(name).energies(clip(), PatchGrid(5, 6)))[1:4]:
        assert energy.energy is not None
        assert np.unravel_index(energy.energy.argmax(), (5, 6)) == (2, 3)


# Motion-guided.


def blobs(*places: Place | None, grid: Place = (14, 14), width: int = 1) -> Array:
    """One frame for each place (y, x), all of its energy there; none where the place is None."""
    energy = np.zeros((len(places), *grid), np.float32)
    for frame, spot in zip(energy, places, strict=True):
        if spot is not None:
            frame[spot[0] : spot[0] + width, spot[1] : spot[1] + width] = 1
    return energy


def on(energy: Array, ratio: float = 0.25, cuts: tuple[int, ...] = (), **more: Any) -> PlacementRequest:
    cut = np.isin(np.arange(len(energy)), cuts)
    grid = PatchGrid(*energy.shape[1:])
    return PlacementRequest(energy, cut, TokenLayout.of(grid, ratio), **more)


def corners(placed: Placement) -> list[Place]:
    return [(int(y), int(x)) for y, x in placed.corner]


def test_the_box_follows_a_blob() -> None:
    energy = blobs(*((1 + t, 12 - t) for t in range(12)), width=2)
    placed = place("motion-guided", on(energy))
    assert placed.mask[energy > 0].all()
    assert not placed.fallback.any()
    assert len(set(corners(placed))) > 3


@pytest.mark.parametrize(("cuts", "jumps"), [((3,), True), ((), False)])
def test_the_path_restarts_at_a_cut(cuts: tuple[int, ...], jumps: bool) -> None:
    energy = blobs(*[(0, 0)] * 3, *[(13, 13)] * 2)
    found = corners(place("motion-guided", on(energy, cuts=cuts), smoothness=1e5))
    assert found == [(0, 0)] * 3 + [(7, 7) if jumps else (0, 0)] * 2


def test_a_cut_at_the_start_forgets_the_box_before() -> None:
    asked = on(blobs((0, 0), (0, 0)), cuts=(0,), previous=(7, 7))
    assert corners(place("motion-guided", asked, smoothness=1e5)) == [(0, 0)] * 2


def test_nothing_moves_and_the_box_is_in_the_centre() -> None:
    placed = place("motion-guided", on(blobs(None, None, None)))
    assert corners(placed) == [(3, 3)] * 3
    assert placed.fallback.all()


@pytest.mark.parametrize("still", [0, 1])
def test_only_the_scene_where_nothing_moves_falls_back(still: int) -> None:
    scenes: list[list[Place | None]] = [[(0, 0)] * 3, [(0, 0)] * 3]
    scenes[still] = [None] * 3
    placed = place("motion-guided", on(blobs(*scenes[0], *scenes[1]), cuts=(3,)))
    expected = np.repeat([still == 0, still == 1], 3)
    np.testing.assert_array_equal(placed.fallback, expected)
    assert corners(placed) == [(3, 3) if falls else (0, 0) for falls in expected]


def test_frames_without_energy_are_bridged() -> None:
    placed = place("motion-guided", on(blobs((13, 13), None, None, (13, 13))))
    assert corners(placed) == [(7, 7)] * 4
    assert not placed.fallback.any()


def test_a_run_without_energy_holds_the_box_before() -> None:
    placed = place("motion-guided", on(blobs(None, None), first=9, previous=(2, 5)))
    assert corners(placed) == [(2, 5)] * 2
    assert not placed.fallback.any()


def test_a_run_continues_from_the_box_before() -> None:
    energy = blobs((0, 0), (0, 0))
    assert corners(place("motion-guided", on(energy, first=9, previous=(7, 7)), smoothness=1e5)) == [(7, 7)] * 2
    assert corners(place("motion-guided", on(energy, first=9, previous=(7, 7)), smoothness=0.0)) == [(0, 0)] * 2


def split_energy(scale: int) -> Array:
    """Two frames: all energy at the left, then nine tenths of it four tokens of a 14 x 14 grid to the right."""
    energy = np.zeros((2, 14, 14), np.float32)
    energy[0, 5, 3] = 1
    energy[1, 5, 3], energy[1, 5, 7] = 0.1, 0.9
    return energy.repeat(scale, 1).repeat(scale, 2)


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("stride", [1.0, 4.0, 8.0])
@pytest.mark.parametrize("dearer", [0.7, 1.4])
def test_smoothness_means_the_same_on_every_grid_and_stride(scale: int, stride: float, dearer: float) -> None:
    break_even = 0.8 / 4**2 * stride / 4  # the gain of the jump over the square of its length
    asked = on(split_energy(scale), 1 / 196, stride=stride)
    assert asked.layout.box_rows == scale
    found = corners(place("motion-guided", asked, smoothness=break_even * dearer))
    jump = found[1][1] - found[0][1]
    assert jump > 3 * scale if dearer < 1 else jump < scale


# Motion-literal.


@pytest.mark.parametrize(
    ("largest", "corner"),
    [
        pytest.param((7, 7), (4, 4), id="centred"),
        pytest.param((5, 9), (2, 6), id="off-centre"),
        pytest.param((0, 13), (0, 7), id="clamped-at-the-top-right"),
        pytest.param((13, 0), (7, 0), id="clamped-at-the-bottom-left"),
    ],
)
def test_literal_boxes_are_centred_on_the_largest(largest: Place, corner: Place) -> None:
    energy = np.random.default_rng(0).random((2, 14, 14)).astype(np.float32)
    energy[1][largest] = 2
    assert corners(place("motion-literal", on(energy)))[1] == corner


def test_literal_ties_go_to_the_smallest_index() -> None:
    energy = blobs((0, 0), (6, 6), width=3)
    assert corners(place("motion-literal", on(energy)))[1] == (3, 3)


def test_literal_boxes_are_held_without_vectors_and_ignore_cuts() -> None:
    energy = blobs((7, 7), (9, 9), None, None, (4, 4))
    found = corners(place("motion-literal", on(energy, cuts=(3,))))
    assert found[1:] == [(6, 6)] * 3 + [(1, 1)]


def test_the_first_literal_box_is_random() -> None:
    energy = blobs((7, 7), (7, 7))
    found = [corners(place("motion-literal", on(energy, seed=seed))) for seed in range(200)]
    assert {second for _, second in found} == {(4, 4)}
    assert {y for (y, _), _ in found} == set(range(8))
    assert {x for (_, x), _ in found} == set(range(8))


def test_literal_energy_is_the_longest_vector_without_camera_motion() -> None:
    frame = motion(1)
    assert frame.displacement is not None
    panned = frame._replace(displacement=frame.displacement - np.float32([0, 20]))
    (energy,) = masking.build("motion-literal").energies([panned], PatchGrid(1, 1))
    assert energy.scale * 255 == pytest.approx(20)
    guided = list(masking.build("motion-guided").energies([motion(0), panned], PatchGrid(5, 6)))[1]
    assert guided.energy is not None
    assert np.unravel_index(guided.energy.argmax(), (5, 6)) == (2, 3)


# Schemes that do not look.


@pytest.mark.parametrize("step", [0, 1, 3, 20])
def test_simulated_motion_takes_small_steps(step: int) -> None:
    corner = place("simulated-motion", request(frames=200), step=step).corner.astype(int)
    steps = np.abs(np.diff(corner, axis=0))
    assert steps.max() <= step
    assert steps.max() == min(step, 7)


def test_simulated_motion_takes_every_step_and_goes_everywhere() -> None:
    corner = place("simulated-motion", request(frames=2000)).corner.astype(int)
    assert {tuple(place) for place in corner.tolist()} == set(np.ndindex(8, 8))
    assert {tuple(step) for step in np.diff(corner, axis=0).tolist()} == {
        (y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)
    }


@pytest.mark.parametrize(
    ("place", "count", "expected"),
    [
        (0, 5, 0),
        (4, 5, 4),
        (-1, 5, 1),
        (5, 5, 3),
        (-4, 5, 4),
        (8, 5, 0),
        (9, 5, 1),
        (-9, 5, 1),
        (1, 2, 1),
        (2, 2, 0),
        (-1, 2, 1),
        (0, 1, 0),
        (7, 1, 0),
        (-3, 1, 0),
        (1000, 5, 0),
    ],
)
def test_places_are_reflected_at_both_ends(place: int, count: int, expected: int) -> None:
    assert reflect(place, count) == expected


@pytest.mark.parametrize("name", ["tube", "fixed-box", "centre-box"])
@pytest.mark.parametrize("first", [0, 50])
def test_constant_schemes_are_constant(name: str, first: int) -> None:
    asked = request()
    at_once = place(name, asked)
    assert (at_once.mask == at_once.mask[0]).all()
    assert (at_once.corner == at_once.corner[0]).all()
    assert_same(place(name, replace(asked, first=first)), at_once)


def test_fixed_boxes_are_placed_uniformly() -> None:
    found = [corners(place("fixed-box", request(frames=1, seed=seed)))[0] for seed in range(640)]
    counts = np.zeros((8, 8))
    for y, x in found:
        counts[y, x] += 1
    assert counts.min() >= 1
    assert counts.max() <= 30


@pytest.mark.parametrize(
    ("grid", "ratio", "corner"),
    [("14x14", 0.25, (3, 3)), ("14x14", 0.75, (1, 1)), ("7x9", 0.1, (2, 3)), ("5x5", 1, (0, 0))],
)
def test_the_centre_box_is_centred(grid: str, ratio: float, corner: Place) -> None:
    placed = place("centre-box", request(grid, ratio))
    assert set(corners(placed)) == {corner}
    asked = layout(grid, ratio)
    assert 0 <= asked.rows - asked.box_rows - 2 * corner[0] <= 1
    assert 0 <= asked.cols - asked.box_cols - 2 * corner[1] <= 1


def test_random_masks_differ_from_frame_to_frame() -> None:
    placed = place("random", request(frames=20))
    assert len({mask.tobytes() for mask in placed.mask}) == 20


@pytest.mark.parametrize(
    "masks",
    [
        pytest.param(lambda seed: place("random", request(frames=1, seed=seed)).mask[0], id="random"),
        pytest.param(lambda seed: place("random", request(frames=3, seed=seed, clip=True)).mask[1], id="random-clip"),
        pytest.param(lambda seed: place("random-frame", request(frames=1, seed=seed)).mask[0], id="random-frame"),
        pytest.param(lambda seed: place("tube", request(frames=1, seed=seed)).mask[0], id="tube"),
    ],
)
def test_every_token_is_hidden_as_often(masks: Callable[[int], Array]) -> None:
    share = np.mean([masks(seed) for seed in range(400)], axis=0)
    assert np.abs(share - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / 400)
