"""What every mask scheme keeps, whatever it hides; then each scheme on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mgmtool import masking
from mgmtool.errors import UsageError
from mgmtool.masking.simulated_motion import reflect
from mgmtool.testing import SchemeContract
from mgmtool.testing.schemes import assert_same, motion, request, video
from mgmtool.types import PatchGrid, Placement, PlacementRequest, TokenLayout

Array = NDArray[Any]
Place = tuple[int, int]

VOLUMES = [name for name in masking.names() if masking.build(name).volumes]
CLIPS_ONLY = [name for name in masking.names() if name not in VOLUMES]


class TestEveryScheme(SchemeContract):
    names = masking.names()
    seedless = frozenset(
        {"motion-guided", "centre-box", "boxes", "top-motion"}
    )  # boxes draws among objects; here are none
    looks_ahead = frozenset({"motion-guided", "boxes"})


def place(name: str, asked: PlacementRequest, **options: Any) -> Placement:
    return masking.build(name, options).place(asked)


@pytest.mark.parametrize("name", CLIPS_ONLY)
def test_what_spans_a_clip_says_what_it_hides(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} hides .*; it is for clips$"):
        place(name, request())


# Energies.


moving_schemes = pytest.mark.parametrize("name", [name for name in masking.names() if masking.build(name).needs_motion])


@moving_schemes
def test_energy_is_where_something_moves(name: str) -> None:
    for energy in list(masking.build(name).energies(video(), PatchGrid(5, 6)))[1:4]:
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
    asked = TokenLayout.of(PatchGrid.parse(grid), ratio)
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
