"""Schemes of training recipes: what each of them is known for; and masks without videos."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mgmtool
from mgmtool import masking, schemes
from mgmtool.errors import UsageError
from mgmtool.masking._blocks import random_sides, random_span
from mgmtool.masking._draws import draws, unit
from mgmtool.types import PatchGrid, PlacementRequest, TokenLayout

Array = NDArray[Any]

TUBELETS = 8


def asked(
    ratio: float = 0.75,
    grid: tuple[int, int] = (14, 14),
    seed: int = 0,
    frames: int = TUBELETS,
    energy: Array | None = None,
    **more: Any,
) -> PlacementRequest:
    layout = TokenLayout.of(PatchGrid(*grid), ratio)
    energy = np.zeros((frames, *grid), np.float32) if energy is None else energy
    return PlacementRequest(energy, np.zeros(len(energy), np.bool_), layout, seed, **({"clip": True} | more))


def mask_of(name: str, request: PlacementRequest, **options: Any) -> Array:
    return masking.build(name, options).place(request).mask


# Random.


def test_random_counts_differ_from_tubelet_to_tubelet_of_a_clip() -> None:
    counts = mask_of("random", asked(0.5)).sum(axis=(1, 2))
    assert len(set(counts.tolist())) > 2
    assert counts.sum() == 98 * TUBELETS


def test_in_a_volume_random_is_random_frame() -> None:
    volume = asked(clip=False, seed=7)
    np.testing.assert_array_equal(mask_of("random", volume), mask_of("random-frame", volume))


def test_random_frame_is_the_same_in_clips_and_volumes() -> None:
    np.testing.assert_array_equal(mask_of("random-frame", asked()), mask_of("random-frame", asked(clip=False)))


# Frame.


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 0.75, 0.9, 1.0])
@pytest.mark.parametrize("frames", [1, 5, 8])
def test_frame_hides_whole_tubelets_and_part_of_one_more(ratio: float, frames: int) -> None:
    for seed in range(5):
        counts = mask_of("frame", asked(ratio, seed=seed, frames=frames)).sum(axis=(1, 2))
        whole, rest = divmod(round(ratio * 196) * frames, 196)
        assert sorted(counts.tolist(), reverse=True)[:whole] == [196] * whole
        assert sorted(counts.tolist()) == sorted(
            [196] * whole + [rest] * bool(rest) + [0] * (frames - whole - bool(rest))
        )


def test_every_tubelet_is_hidden_as_often() -> None:
    whole = np.mean([mask_of("frame", asked(0.5, seed=seed)).all(axis=(1, 2)) for seed in range(600)], axis=0)
    assert np.abs(whole - 0.5).max() < 5 * math.sqrt(0.25 / 600)


# Cube and block.


def is_full(mask: Array, box: tuple[slice, ...]) -> bool:
    return bool(mask[box].all())


def test_cubes_cover_what_is_hidden() -> None:
    """Nearly every hidden token lies in a hidden block of 2 x 2 x 2, which of random ones few do."""

    def share(mask: Array) -> float:
        inside = np.zeros_like(mask)
        for t, y, x in itertools.product(*(range(n - 1) for n in mask.shape)):
            corner = (slice(t, t + 2), slice(y, y + 2), slice(x, x + 2))
            if is_full(mask, corner):
                inside[corner] = True
        return float((inside & mask).sum() / mask.sum())

    cubes = [share(mask_of("cube", asked(0.4, seed=seed))) for seed in range(10)]
    random = [share(mask_of("random", asked(0.4, seed=seed))) for seed in range(10)]
    assert np.mean(cubes) > 0.7
    assert np.mean(random) < 0.05


def rebuilt_cubes(request: PlacementRequest, least: int) -> list[Array]:
    """The cubes of a clip from the same draws, one by one, each in whole."""
    layout, frames = request.layout, len(request.energy)
    found = []
    for raw in draws(request.seed, 0, 256, 6):
        high, wide = random_sides(raw[:2], min(least, layout.masked), layout.masked)
        cube = np.zeros(request.energy.shape, np.bool_)
        when = random_span(raw[3], 1 + int(raw[2] % np.uint64(frames)), frames)
        cube[when, random_span(raw[4], max(high, 1), layout.rows), random_span(raw[5], max(wide, 1), layout.cols)] = (
            True
        )
        found.append(cube)
    return found


@pytest.mark.parametrize("ratio", [0.1, 0.4, 0.75, 0.9])
@pytest.mark.parametrize("least", [1, 16])
def test_a_mask_is_cubes_of_which_only_the_last_is_trimmed(ratio: float, least: int) -> None:
    for seed in range(5):
        request = asked(ratio, seed=seed)
        mask, union = mask_of("cube", request, min_tokens=least), np.zeros(request.energy.shape, np.bool_)
        total = request.layout.masked * TUBELETS
        cubes = iter(rebuilt_cubes(request, least))
        while (longer := union | next(cubes)).sum() <= total:
            union = longer
        assert not (union & ~mask).any()
        assert not (mask & ~longer).any()


def test_cubes_span_some_tubelets_and_not_others() -> None:
    counts = np.array([mask_of("cube", asked(0.3, seed=seed)).sum(axis=(1, 2)) for seed in range(20)])
    assert (counts.std(axis=1) > 0).all()


@pytest.mark.parametrize("name", ["block", "multi-block", "tube"])
@pytest.mark.parametrize("first", [0, 64])
@pytest.mark.parametrize("clip", [True, False])
def test_some_schemes_hide_the_same_in_every_tubelet(name: str, first: int, clip: bool) -> None:
    mask = mask_of(name, asked(first=first, clip=clip))
    assert (mask == mask[0]).all()
    np.testing.assert_array_equal(mask, mask_of(name, asked()))


@pytest.mark.parametrize("ratio", [0.4, 0.75])
def test_blocks_are_rectangles_apart_from_a_few_tokens(ratio: float) -> None:
    """A token on its own, without a hidden neighbour below, above, left or right, is rare."""

    def alone(mask: Array) -> int:
        wide = np.pad(mask, 1)
        beside = wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
        return int((mask & ~beside).sum())

    assert np.mean([alone(mask_of("block", asked(ratio, seed=seed))[0]) for seed in range(50)]) < 2


def test_rectangles_have_the_areas_and_aspects_of_beit() -> None:
    sides = np.array([random_sides(raw, 4, 75) for raw in draws(0, 0, 4000, 2)])
    area, aspect = sides.prod(axis=1), sides[:, 0] / sides[:, 1]
    assert 2 <= area.min() <= 6
    assert 70 <= area.max() <= 90
    assert abs(area.mean() - 79 / 2) < 1.5
    large = aspect[area > 30]  # rounding bends the aspect of small ones
    assert 0.25 < large.min() < 0.4
    assert 2.5 < large.max() < 4
    assert abs(np.log(aspect).mean()) < 0.05
    assert (sides.prod(axis=1) > 50).mean() == pytest.approx(25 / 71, abs=0.04)


def test_units_are_between_0_and_1() -> None:
    extremes = unit(np.array([0, 2**64 - 1, 2**63], np.uint64))
    assert 0 < extremes[0] < 1e-15
    assert 1 - 1e-15 < extremes[1] < 1
    assert extremes[2] == pytest.approx(0.5)


@pytest.mark.parametrize(("length", "count"), [(1, 1), (3, 14), (14, 14), (20, 14)])
def test_spans_are_inside_and_start_everywhere(length: int, count: int) -> None:
    spans = [random_span(raw, length, count) for raw in draws(0, 0, 500, 1)[:, 0]]
    assert {span.stop - span.start for span in spans} == {min(length, count)}
    assert {span.start for span in spans} == set(range(count - min(length, count) + 1))


# Multi-block.


@pytest.mark.parametrize(("num_blocks", "scale"), [(1, 0.15), (1, 0.7), (1, 1.0), (1, 0.0)])
@pytest.mark.parametrize("seed", range(5))
def test_one_block_is_a_rectangle_of_its_scale(num_blocks: int, scale: float, seed: int) -> None:
    mask = mask_of("multi-block", asked(seed=seed), num_blocks=num_blocks, scale=scale, exact_count=False)[0]
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert mask.sum() == (np.ptp(rows) + 1) * (np.ptp(cols) + 1)
    wanted = int(196 * scale)
    assert abs(mask.sum() - wanted) <= 0.2 * wanted + 1
    if scale == 0.15:
        assert 0.55 <= (np.ptp(rows) + 1) / (np.ptp(cols) + 1) <= 1.8


@pytest.mark.parametrize(("num_blocks", "scale"), [(8, 0.15), (2, 0.7)])
@pytest.mark.parametrize("ratio", [0.5, 0.75, 0.95])
@pytest.mark.parametrize("seed", range(5))
def test_the_count_is_made_exact_next_to_or_inside_the_union(
    num_blocks: int, scale: float, ratio: float, seed: int
) -> None:
    options = {"num_blocks": num_blocks, "scale": scale}
    union = mask_of("multi-block", asked(ratio, seed=seed), exact_count=False, **options)[0]
    exact = mask_of("multi-block", asked(ratio, seed=seed), **options)[0]
    assert not (union & ~exact).any() or not (exact & ~union).any()
    added = np.argwhere(exact & ~union)
    if len(added):
        distance = np.abs(added[:, None] - np.argwhere(union)).max(axis=-1).min(axis=1)
        left_out = np.argwhere(~exact)
        nearest = np.abs(left_out[:, None] - np.argwhere(union)).max(axis=-1).min(axis=1)
        assert not len(left_out) or distance.max() <= nearest.min()  # whole rings first


def test_long_range_blocks_hide_more_than_short_range_ones_leave_visible() -> None:
    short = np.mean([mask_of("multi-block", asked(seed=seed), exact_count=False).mean() for seed in range(50)])
    far = {"num_blocks": 2, "scale": 0.7, "exact_count": False}
    long = np.mean([mask_of("multi-block", asked(seed=seed), **far).mean() for seed in range(50)])
    assert 0.5 < short < 0.8
    assert 0.75 < long < 0.95


def test_a_union_as_it_is_cannot_be_stored() -> None:
    with pytest.raises(UsageError, match=r"^multi-block option exact_count is False; it is for clips$"):
        mask_of("multi-block", asked(clip=False), exact_count=False)


# Motion.


def some_energy(seed: int = 0, zeros: float = 0.3, frames: int = TUBELETS) -> Array:
    rng = np.random.default_rng(seed)
    energy = rng.integers(0, 20, (frames, 7, 9)).astype(np.float32)  # many ties
    energy[rng.random(energy.shape) < zeros] = 0
    return energy


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_top_motion_is_sorting_by_energy_then_index(ratio: float, seed: int) -> None:
    energy = some_energy(seed)
    request = asked(ratio, (7, 9), energy=energy)
    for frame, mask in zip(energy, mask_of("top-motion", request), strict=True):
        order = sorted(range(63), key=lambda token: (-float(frame.flat[token]), token))
        assert np.flatnonzero(mask).tolist() == sorted(order[: request.layout.masked])


def test_weights_are_energies() -> None:
    """Drawing one token of three, each is drawn as often as its share of the energy; of two, by the rule of drawing on."""
    energy = np.array([[[1.0, 2.0, 5.0]]], np.float32).repeat(40_000, axis=0)
    one = mask_of("weighted-motion", asked(1 / 3, (1, 3), energy=energy))[:, 0].mean(axis=0)
    np.testing.assert_allclose(one, [1 / 8, 2 / 8, 5 / 8], atol=0.012)
    two = mask_of("weighted-motion", asked(2 / 3, (1, 3), energy=energy))[:, 0].mean(axis=0)
    share = np.array([1, 2, 5]) / 8
    left_out = [
        share[i] * share[j] / (1 - share[i]) + share[j] * share[i] / (1 - share[j]) for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    np.testing.assert_allclose(two, 1 - np.array(left_out), atol=0.012)


@pytest.mark.parametrize("tau", [0.5, 2.0])
def test_temperature_is_a_power_of_the_energy(tau: float) -> None:
    energy = np.array([[[1.0, 2.0, 5.0]]], np.float32).repeat(40_000, axis=0)
    found = mask_of("weighted-motion", asked(1 / 3, (1, 3), energy=energy), tau=tau)[:, 0].mean(axis=0)
    weights = np.array([1.0, 2.0, 5.0]) ** (1 / tau)
    np.testing.assert_allclose(found, weights / weights.sum(), atol=0.012)


def test_towards_no_temperature_weighted_is_top() -> None:
    ranks = np.random.default_rng(0).permuted(np.tile(np.arange(63), (TUBELETS, 1)), axis=1)
    request = asked(0.5, (7, 9), energy=(1.5 ** ranks.reshape(TUBELETS, 7, 9)).astype(np.float32))
    np.testing.assert_array_equal(mask_of("weighted-motion", request, tau=0.01), mask_of("top-motion", request))


@pytest.mark.parametrize("unit_of_energy", [1e-30, 1.0, 1e30])
def test_tokens_without_energy_come_last_and_uniformly(unit_of_energy: float) -> None:
    energy = np.zeros((4000, 1, 8), np.float32)
    energy[:, 0, :3] = [1.0, 2.0, 3.0]
    request = asked(5 / 8, (1, 8), energy=(energy * np.float32(unit_of_energy)))
    share = mask_of("weighted-motion", request)[:, 0].mean(axis=0)
    assert (share[:3] == 1).all()
    np.testing.assert_allclose(share[3:], 2 / 5, atol=0.04)


def test_the_energy_is_that_of_the_default_scheme() -> None:
    guided = masking.build("motion-guided")
    for name in ("top-motion", "weighted-motion"):
        scheme = masking.build(name)
        assert (scheme.needs_motion, scheme.needs_chroma) == (guided.needs_motion, guided.needs_chroma)


# Running cell.


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("first", [0, 1, 6])
@pytest.mark.parametrize("seed", range(4))
def test_over_four_tubelets_every_token_is_hidden_as_often(ratio: float, first: int, seed: int) -> None:
    mask = mask_of("running-cell", asked(ratio, seed=seed, frames=4, first=first))
    assert (mask.sum(axis=0) == 4 * ratio).all()


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.75])
def test_cells_are_alike_and_run_through_the_queue(ratio: float) -> None:
    hidden = round(4 * ratio)
    starts = set()
    for seed in range(20):
        mask = mask_of("running-cell", asked(ratio, seed=seed))
        for phase in range(4):
            queue = [(np.arange(4) + t + phase) % 4 < hidden for t in range(TUBELETS)]
            expected = np.array([np.tile(cell.reshape(2, 2), (7, 7)) for cell in queue])
            if (mask == expected).all():
                starts.add(phase)
                break
        else:
            pytest.fail(f"no phase explains seed {seed}")
    assert starts == {0, 1, 2, 3}


@pytest.mark.parametrize(("grid", "ratio"), [((7, 9), 0.5), ((14, 14), 0.6)])
def test_what_cells_do_not_divide_is_drawn_anew(grid: tuple[int, int], ratio: float) -> None:
    mask = mask_of("running-cell", asked(ratio, grid, frames=400))
    assert len({frame.tobytes() for frame in mask}) > 40
    assert np.abs(mask.mean(axis=0) - ratio).max() < 0.1


# Options.


@pytest.mark.parametrize(
    ("name", "option", "value", "expected"),
    [
        ("cube", "min_tokens", 0, "1 to 65536"),
        ("block", "min_tokens", -3, "1 to 65536"),
        ("multi-block", "num_blocks", 0, "1 to 256"),
        ("multi-block", "scale", 1.5, "0 to 1"),
        ("multi-block", "aspect_low", 0.0, "0.01 to 100"),
        ("multi-block", "aspect_high", float("nan"), "0.01 to 100"),
        ("multi-block", "aspect_low", 2.0, "aspect_high (1.5) or less"),
        ("weighted-motion", "tau", 0.0, "0.01 to 100"),
        ("weighted-motion", "tau", float("nan"), "0.01 to 100"),
    ],
)
def test_options_out_of_range_are_refused(name: str, option: str, value: float, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        masking.build(name, {option: value})
    assert str(caught.value) == f"{name} option {option} is {value}; expected {expected}"


# Without videos.


@pytest.mark.parametrize("name", schemes.names())
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("keep_visible", [0.0, 0.3])
def test_masks_from_seeds(name: str, invert: bool, keep_visible: float) -> None:
    masker = schemes.build(name, ratio=0.6, grid=(7, 9), frames=12, invert=invert, keep_visible=keep_visible)
    found = masker(5)
    assert found.mask.shape == (6, 7, 9)
    assert found.mask.sum() == 6 * round(0.6 * 63)
    np.testing.assert_array_equal(masker(seed=5).mask, found.mask)


def test_modules_are_names_of_the_package() -> None:
    assert mgmtool.schemes is schemes
    assert mgmtool.schemes.build("tube", ratio=0.9)(seed=3).mask.sum(axis=(1, 2)).tolist() == [176] * 8


def test_options_are_handed_on() -> None:
    still = schemes.build("simulated-motion", step=0)(1)
    assert (still.box == still.box[0]).all()


def test_every_scheme_is_offered_or_says_what_it_looks_at() -> None:
    refused = set(masking.names()) - set(schemes.names())
    assert refused == {"motion-guided", "motion-literal", "top-motion", "weighted-motion", "boxes"}
    for name in refused:
        looked_at = "objects" if name == "boxes" else "motion"
        with pytest.raises(UsageError, match=f"^{name} looks at {looked_at}; use MaskStore.clip$"):
            schemes.build(name)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("tubes", {}, "unknown scheme 'tubes' (did you mean 'tube'?); expected one of: "),
        ("tube", {"step": 1}, "tube has no option 'step'; it has: no options"),
        ("tube", {"ratio": 1.5}, "ratio is 1.5; expected 0 to 1"),
        ("tube", {"ratio": float("nan")}, "ratio is nan; expected 0 to 1"),
        ("tube", {"grid": (0, 14)}, "grid is (0, 14); expected 1 to 256 rows and columns"),
        ("tube", {"frames": 15}, "clip has 15 frames; expected 1 or more tubelets of 2 frames"),
        ("tube", {"frames": -2}, "clip has 0 frames; expected 1 or more tubelets of 2 frames"),
        ("tube", {"tubelet": 0}, "clip has 16 frames; expected 1 or more tubelets of 0 frames"),
        ("tube", {"keep_visible": 2}, "keep_visible is 2; expected 0 to 1"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        schemes.build(name, **arguments)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_out_of_range_are_refused(seed: int) -> None:
    with pytest.raises(UsageError, match=f"^seed is {seed}; expected 0 to 2"):
        schemes.build("tube")(seed)


@pytest.mark.parametrize("name", masking.names())
def test_many_clips_are_placed_as_one_by_one(name: str) -> None:
    rng = np.random.default_rng(0)
    layout = TokenLayout.of(PatchGrid(14, 14), 0.4)
    asked = [
        PlacementRequest(
            energy=rng.random((8, 14, 14)).astype(np.float32) * (n != 2),
            cut=rng.random(8) < 0.2,
            layout=layout,
            seed=n,
            stride=float(n + 1),
            clip=True,
        )
        for n in range(5)
    ]
    scheme = masking.build(name)
    for found, request in zip(scheme.place_many(asked), asked, strict=True):
        alone = scheme.place(request)
        np.testing.assert_array_equal(found.mask, alone.mask)
        np.testing.assert_array_equal(found.corner, alone.corner)
        np.testing.assert_array_equal(found.fallback, alone.fallback)
