"""Evidence from file to mask: objects against a faster camera, scale, stillness, scenes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mgmtool import sources
from mgmtool.extraction.stream import whole_video
from mgmtool.sources.recorded import save
from mgmtool.types import ExtractSpec, FrameFlag, FrameMotion, MaskVolume
from support.moving import encode, panning, ref, square_path, texture, with_square

Array = NDArray[Any]
Place = tuple[int, int]

HEIGHT, WIDTH, SIDE = 192, 256, 56
FRAMES = 30
START, STEP, PAN = (60, 40), (1, 3), (0, -8)
"""The square moves by 3 pixels a frame, the background by 8 the other way."""

FAITHFUL = {"qp": "4"}
"""Without this the encoder corrects its first picture with vectors of a quarter pixel where nothing moves."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence")


@pytest.fixture(scope="module")
def moving(folder: Path) -> Path:
    pictures = with_square(panning(FRAMES, HEIGHT, WIDTH, PAN), square_path(FRAMES, START, STEP), SIDE)
    return encode(folder / "moving.mp4", pictures)


def masks(path: Path, **spec: Any) -> MaskVolume:
    return whole_video(ref(path), ExtractSpec(**spec))[0]


def flagged(volume: MaskVolume, flag: FrameFlag) -> list[int]:
    return np.flatnonzero(volume.flags & int(flag)).tolist()


def on_the_square(volume: MaskVolume, path: Sequence[Place]) -> Array:
    """Frames whose box holds the middle of the square."""
    y, x = np.array(path).T + SIDE // 2
    y0, x0, y1, x1 = volume.box.astype(int).T
    return np.asarray((y0 <= y) & (y < y1) & (x0 <= x) & (x < x1))


# An object against a faster camera.


def test_the_box_is_on_the_object_that_moves_less_than_the_camera(moving: Path) -> None:
    hits = on_the_square(masks(moving, ratio=0.1), square_path(FRAMES, START, STEP))
    assert hits.mean() >= 0.8


def test_the_longest_vectors_are_those_of_the_background(moving: Path) -> None:
    hits = on_the_square(masks(moving, ratio=0.1, scheme="motion-literal"), square_path(FRAMES, START, STEP))
    assert hits.mean() <= 0.3


@pytest.mark.parametrize("switch", ["picture_check", "border_motion", "appearance"])
def test_the_object_is_found_without_any_one_of_the_parts(switch: str, moving: Path) -> None:
    hits = on_the_square(masks(moving, ratio=0.1, scheme_options={switch: False}), square_path(FRAMES, START, STEP))
    assert hits.mean() >= 0.8


# Scale.


def recorded(film: Path, path: Path, factor: float) -> Path:
    """Record the vectors of a film with noise of a pixel, all of it times a factor."""

    def scaled(frames: Iterable[FrameMotion]) -> Iterator[FrameMotion]:
        rng = np.random.default_rng(7)
        for frame in frames:
            assert frame.displacement is not None
            assert frame.coverage is not None
            noise = rng.normal(0, 1, frame.displacement.shape) * (frame.coverage > 0)[..., None]
            displacement = ((frame.displacement + noise) * factor).astype(np.float32)
            yield frame._replace(displacement=displacement)

    with sources.build("codec").open(ref(film), motion=True, luma=True, chroma=True) as stream:
        save(path, replace(stream, frames=scaled(stream.frames)))
    return path


def test_all_vectors_times_three_are_the_same_energy(moving: Path, folder: Path) -> None:
    spec = {"source": "recorded", "ratio": 0.1, "scheme_options": {"picture_check": False}}
    once, thrice = (masks(recorded(moving, folder / f"{k}.motion", k), **spec) for k in (1, 3))
    assert once.energy is not None
    assert thrice.energy is not None
    assert once.energy.any()
    assert np.abs(once.energy.astype(int) - thrice.energy).max() <= 1
    np.testing.assert_allclose(thrice.energy_scale, once.energy_scale, rtol=1e-3)
    np.testing.assert_array_equal(thrice.box, once.box)
    assert on_the_square(once, square_path(FRAMES, START, STEP)).mean() >= 0.8


# Stillness.


@pytest.mark.parametrize(
    "picture",
    [np.full((48, 64), 120, np.uint8), np.full((48, 64), 16, np.uint8), texture(48, 64)],
    ids=["grey", "black", "texture"],
)
@pytest.mark.parametrize("ratio", [0.1, 0.5])
def test_where_nothing_moves_the_box_is_in_the_centre(picture: Array, ratio: float, folder: Path) -> None:
    volume = masks(encode(folder / "still.mp4", [picture] * 9, **FAITHFUL), ratio=ratio)
    assert flagged(volume, FrameFlag.FALLBACK) == list(range(9))
    layout = ExtractSpec(ratio=ratio).layout
    centre = layout.box((14 - layout.box_rows) // 2, (14 - layout.box_cols) // 2, 48, 64)
    assert (volume.box == [centre.y0, centre.x0, centre.y1, centre.x1]).all()
    assert volume.energy is not None
    assert volume.energy_scale is not None
    assert not volume.energy.any()
    assert not volume.energy_scale.any()  # and thus numbers


# Scenes.


@pytest.mark.parametrize("smoothness", [0.006, 1e5])
def test_every_scene_has_a_path_of_its_own(smoothness: float, folder: Path) -> None:
    paths = square_path(12, (20, 30), (0, 0)), square_path(14, (110, 170), (0, 0))
    first, second = (
        with_square(panning(len(path), HEIGHT, WIDTH, (0, -6), seed), path, SIDE, seed + 9)
        for path, seed in zip(paths, (0, 50), strict=True)
    )
    film = encode(folder / f"scenes-{smoothness}.mp4", first + second)
    volume = masks(film, ratio=0.1, scheme_options={"smoothness": smoothness})
    assert flagged(volume, FrameFlag.SCENE_CUT) == [12]
    assert flagged(volume, FrameFlag.FALLBACK) == []
    hits = on_the_square(volume, paths[0] + paths[1])
    assert hits[[11, 12]].all()
    assert hits.mean() >= 0.8
    if smoothness == 1e5:
        box = volume.box
        assert (box[:12] == box[0]).all()
        assert (box[12:] == box[12]).all()
        assert (box[12] != box[0]).any()
