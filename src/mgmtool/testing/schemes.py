"""What every mask scheme keeps, whatever it hides."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.masking import SCHEMES
from mgmtool.plugins import Family
from mgmtool.testing.plugin import PluginContract, cases
from mgmtool.types import Float32, FrameFlag, FrameMotion, PatchGrid, Placement, PlacementRequest, TokenLayout

FRAMES = 8
"""Frames of a request, unless a test says otherwise."""


def some_energy(rows: int, cols: int, frames: int = FRAMES) -> Float32:
    """Make up energy, with frames that have none: one in the middle and the last two."""
    energy = np.random.default_rng(rows * cols).random((frames, rows, cols)).astype(np.float32)
    energy[frames // 2] = 0
    energy[-2:] = 0
    return energy


def request(
    grid: str = "14x14", ratio: float = 0.25, frames: int = FRAMES, seed: int = 0, *, clip: bool = False
) -> PlacementRequest:
    """Make up a request, with scene cuts from the middle on."""
    layout = TokenLayout.of(PatchGrid.parse(grid), ratio)
    cut = np.zeros(frames, np.bool_)
    cut[frames // 2 :: 3] = True
    return PlacementRequest(some_energy(layout.rows, layout.cols, frames), cut, layout, seed, clip=clip)


def motion(index: int, *, moving: bool = True, **facts: Any) -> FrameMotion:
    """Make up a frame of 5 x 6 cells of 16 pixels, cut by a frame of 75 x 90; one cell moves against the rest."""
    displacement = np.zeros((5, 6, 2), np.float32)
    displacement[2, 3] = 3, 9
    known: dict[str, Any] = {"key_frame": index == 0, "corrupt": False, "has_vectors": moving, "luma": None}
    coverage = np.full((5, 6), float(moving), np.float32)
    size: dict[str, Any] = {"cell": 16, "height": 75, "width": 90}
    return FrameMotion(
        index, 10 * index, displacement=displacement * moving, coverage=coverage, **known | facts, **size
    )


def video() -> list[FrameMotion]:
    """Make up nine frames: two without vectors, one corrupt."""
    return [motion(i, moving=i not in {0, 4}, corrupt=i == 5) for i in range(9)]


def assert_same(left: Placement, right: Placement) -> None:
    """Two placements are equal."""
    np.testing.assert_array_equal(left.mask, right.mask)
    np.testing.assert_array_equal(left.corner, right.corner)
    np.testing.assert_array_equal(left.fallback, right.fallback)


def _assert_exact(placed: Placement, asked: PlacementRequest, *, over_the_clip: bool) -> None:
    counts = placed.mask.sum(axis=(1, 2))
    assert placed.mask.shape == asked.energy.shape
    assert placed.mask.dtype == np.bool_
    assert counts.sum() == asked.layout.masked * len(counts)
    assert over_the_clip or (counts == asked.layout.masked).all()
    assert placed.fallback.shape == (len(counts),)
    assert placed.fallback.dtype == np.bool_


def _volumes(test: SchemeContract) -> list[str]:
    return [name for name in test.names if test.build(name).volumes]


def _clips_only(test: SchemeContract) -> list[str]:
    return [name for name in test.names if not test.build(name).volumes]


def _in_runs(test: SchemeContract) -> list[str]:
    return [name for name in _volumes(test) if name not in test.looks_ahead]


def _moving(test: SchemeContract) -> list[str]:
    return [name for name in test.names if test.build(name).needs_motion]


GRIDS = ("14x14", "7x9", "1x1", "16x16", "1x5")
RATIOS = (0.0, 0.01, 0.1, 0.25, 0.5, 0.6, 0.75, 0.9, 0.99, 1.0)


class SchemeContract(PluginContract):
    """Tests of mask schemes.

    Attributes
    ----------
    names : sequence of str
        The schemes to test.
    seedless : collection of str
        Those of them that draw nothing at random.
    looks_ahead : collection of str
        Those whose masks depend on frames to come.
    frames_held : int
        Most frames that a scheme holds while it turns motion into energy.
    """

    family: ClassVar[Family[Any]] = SCHEMES
    seedless: ClassVar[Collection[str]] = ()
    looks_ahead: ClassVar[Collection[str]] = ()
    frames_held: ClassVar[int] = (
        36 + 32
    )  # what the stages of the default scheme look ahead, and the frames they take at once

    def place(self, name: str, asked: PlacementRequest) -> Placement:
        """Answer a request."""
        placed: Placement = self.build(name).place(asked)
        return placed

    @cases(grid=GRIDS, ratio=RATIOS, frames=[1, FRAMES])
    def test_clips_hide_the_exact_count(self, name: str, grid: str, ratio: float, frames: int) -> None:
        asked, scheme = request(grid, ratio, frames, clip=True), self.build(name)
        assert scheme.exact in {"tubelet", "clip"}
        _assert_exact(scheme.place(asked), asked, over_the_clip=scheme.exact == "clip")

    @cases(name=_volumes, grid=GRIDS, ratio=RATIOS)
    def test_every_frame_of_a_volume_hides_the_same_count(self, name: str, grid: str, ratio: float) -> None:
        asked = request(grid, ratio)
        _assert_exact(self.place(name, asked), asked, over_the_clip=False)

    @cases(name=_clips_only)
    def test_what_spans_a_clip_is_refused_in_a_volume(self, name: str) -> None:
        import pytest

        with pytest.raises(UsageError, match=f"^{name} .*; it is for clips$"):
            self.place(name, request())

    def test_what_a_scheme_looks_at_is_declared(self, name: str) -> None:
        scheme = self.build(name)
        assert type(scheme.needs_motion) is type(scheme.needs_tracks) is type(scheme.volumes) is bool
        assert type(scheme.needs_chroma) is bool
        assert scheme.volumes or not scheme.needs_motion, (
            "evaluation and loader take energy from a volume of the scheme"
        )

    @cases(grid=["14x14", "7x9", "1x1"], ratio=[0.0, 0.1, 0.5, 0.9, 1.0])
    def test_boxes_are_inside_and_agree_with_the_mask(self, name: str, grid: str, ratio: float) -> None:
        asked = request(grid, ratio, clip=True)
        placed = self.place(name, asked)
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

    def test_equal_seeds_give_equal_masks(self, name: str) -> None:
        assert_same(self.place(name, request(seed=5, clip=True)), self.place(name, request(seed=5, clip=True)))

    def test_other_seeds_give_other_masks_where_anything_is_random(self, name: str) -> None:
        placed = [self.place(name, request(seed=seed, clip=True)) for seed in range(8)]
        different = {(p.mask.tobytes(), p.corner.tobytes(), p.fallback.tobytes()) for p in placed}
        assert len(different) == 1 if name in self.seedless else len(different) >= 3

    def test_many_clips_at_once_are_clip_by_clip(self, name: str) -> None:
        asked = [request(seed=seed, clip=True) for seed in range(3)]
        for many, one in zip(self.build(name).place_many(asked), asked, strict=True):
            assert_same(many, self.place(name, one))

    def test_the_request_is_left_alone(self, name: str) -> None:
        asked = request(clip=True)
        energy, cut = asked.energy.copy(), asked.cut.copy()
        self.place(name, asked)
        np.testing.assert_array_equal(asked.energy, energy)
        np.testing.assert_array_equal(asked.cut, cut)

    @cases(name=_in_runs, split=[1, 3, 4, 7])
    def test_runs_are_placed_as_the_whole(self, name: str, split: int) -> None:
        asked = request(seed=3)
        first = self.place(name, replace(asked, energy=asked.energy[:split], cut=asked.cut[:split]))
        last = first.corner[-1].tolist()
        rest = replace(asked, energy=asked.energy[split:], cut=asked.cut[split:], first=split)
        second = self.place(name, replace(rest, previous=None if last[0] < 0 else (last[0], last[1])))
        joined = (np.concatenate([getattr(p, k) for p in (first, second)]) for k in ("mask", "corner", "fallback"))
        assert_same(Placement(*joined), self.place(name, asked))

    def test_one_energy_a_frame_in_order(self, name: str) -> None:
        scheme = self.build(name)
        energies = list(scheme.energies(video(), PatchGrid(4, 7)))
        assert [energy.pts for energy in energies] == [frame.pts for frame in video()]
        for energy in energies:
            assert (energy.energy is not None) == scheme.needs_motion
            if energy.energy is not None:
                assert energy.energy.shape == (4, 7)
                assert energy.energy.dtype == np.uint8
                assert (energy.scale > 0) == energy.energy.any()

    def test_flags_say_what_is_known_of_a_frame(self, name: str) -> None:
        for energy, frame in zip(self.build(name).energies(video(), PatchGrid(4, 4)), video(), strict=True):
            assert (FrameFlag.KEY_FRAME in energy.flags) == frame.key_frame
            assert (FrameFlag.HAS_VECTORS in energy.flags) == frame.has_vectors
            assert (FrameFlag.CORRUPT in energy.flags) == frame.corrupt
            assert FrameFlag.SCENE_CUT not in energy.flags
            assert FrameFlag.FALLBACK not in energy.flags

    def test_no_frames_no_energies(self, name: str) -> None:
        assert list(self.build(name).energies([], PatchGrid(4, 4))) == []

    def test_only_a_few_frames_are_held(self, name: str) -> None:
        taken = 0
        planes: dict[str, Any] = {
            "luma": np.full((10, 12), 90, np.float32),
            "chroma": np.full((2, 5, 6), 128, np.float32),
        }

        def counted() -> Iterator[FrameMotion]:
            nonlocal taken
            for index in range(300):
                taken += 1
                yield motion(index, **planes)

        for given, _ in enumerate(self.build(name).energies(counted(), PatchGrid(2, 2))):
            assert taken <= given + self.frames_held

    @cases(name=_moving)
    def test_frames_without_vectors_are_marked_as_propagated(self, name: str) -> None:
        for energy, frame in zip(self.build(name).energies(video(), PatchGrid(4, 4)), video(), strict=True):
            assert (FrameFlag.PROPAGATED in energy.flags) == (not frame.has_vectors)

    @cases(name=_moving)
    def test_cuts_are_marked_where_the_picture_changes(self, name: str) -> None:
        lumas = [np.random.default_rng(t // 3).random((10, 12)).astype(np.float32) * 255 for t in range(9)]
        frames = [motion(t, luma=luma) for t, luma in enumerate(lumas)]
        energies = list(self.build(name).energies(frames, PatchGrid(4, 4)))
        assert [t for t, energy in enumerate(energies) if FrameFlag.SCENE_CUT in energy.flags] == [3, 6]
        assert [energy.pts for energy in energies] == [frame.pts for frame in frames]
