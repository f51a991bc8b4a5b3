"""From a film to its masks: boxes on what moves, scenes, turned films, and chunks that nobody notices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mgmtool import masking
from mgmtool.errors import NoMotionVectorsFailure, UsageError
from mgmtool.extraction import stream as pipeline
from mgmtool.extraction.stream import stream_masks, warm_up, whole_video
from mgmtool.types import ExtractSpec, FrameFlag, MaskVolume, PatchGrid
from support.moving import MATRICES, encode, panning, ref, square_path, turn, with_square

Array = NDArray[Any]
Place = tuple[int, int]

FRAMES, SIDE = 24, 56
START, STEP = (64, 24), (0, 6)
LOOKS_AHEAD = {"motion-guided"}
VOLUMES = [name for name in masking.names() if masking.build(name).volumes]

FAITHFUL = {"qp": "4"}
"""Without this the encoder corrects its first picture with vectors of a quarter pixel where nothing moves."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


def over_a_pan(frames: int = FRAMES, seed: int = 0) -> list[Array]:
    """Pictures of a square that moves to the right over a background that moves up and left."""
    return with_square(panning(frames, 192, 256, (-2, -3), seed), square_path(frames, START, STEP), SIDE, seed + 99)


@pytest.fixture(scope="module")
def moving(folder: Path) -> Path:
    return encode(folder / "moving.mp4", over_a_pan())


@pytest.fixture(scope="module")
def small(folder: Path) -> Path:
    """Film for what needs no picture to look at; without a compiler, time goes with its pixels."""
    path = square_path(FRAMES, (16, 0), (0, 2))
    rows = [f"{t + 1},1,{left},{top},16,16" for t, (top, left) in enumerate(path) if t not in {7, 8, 20}]
    (folder / "small.txt").write_text("\n".join(rows))
    return encode(folder / "small.mp4", with_square(panning(FRAMES, 48, 64, (-1, -1)), path, 16))


@pytest.fixture(scope="module")
def still(folder: Path) -> Path:
    return encode(folder / "still.mp4", panning(FRAMES, 48, 80, (0, 0)), **FAITHFUL)


@pytest.fixture(scope="module")
def scenes(folder: Path) -> Path:
    """Two scenes of 15 frames, the square of the second one at the other end."""
    second = with_square(panning(15, 192, 256, (-2, -3), 50), square_path(15, (8, 180), (2, -2)), SIDE)
    return encode(folder / "scenes.mp4", over_a_pan(15) + second)


def masks(path: Path, **spec: Any) -> MaskVolume:
    return whole_video(ref(path), ExtractSpec(**spec))[0]


def flagged(volume: MaskVolume, flag: FrameFlag) -> list[int]:
    return np.flatnonzero(volume.flags & int(flag)).tolist()


def hidden_share(volume: MaskVolume, path: Sequence[Place], side: tuple[int, int] = (SIDE, SIDE)) -> Array:
    """Share of a square inside the box, for every frame."""
    y0, x0, y1, x1 = volume.box.astype(int).T
    top, left = np.array(path).T
    high = np.minimum(y1, top + side[0]) - np.maximum(y0, top)
    wide = np.minimum(x1, left + side[1]) - np.maximum(x0, left)
    return np.maximum(high, 0) * np.maximum(wide, 0) / (side[0] * side[1])


def assert_same(left: MaskVolume, right: MaskVolume) -> None:
    assert left.arrays().keys() == right.arrays().keys()
    for name, values in left.arrays().items():
        np.testing.assert_array_equal(values, right.arrays()[name], err_msg=name)


# What a volume holds.

DTYPES = {
    "mask": "bool",
    "box": "int16",
    "pts": "int64",
    "flags": "uint8",
    "energy": "uint8",
    "energy_scale": "float32",
}


@pytest.mark.parametrize("scheme", VOLUMES)
@pytest.mark.parametrize(("grid", "ratio"), [("14x14", 0.75), ("7x9", 0.3)])
def test_volumes_agree_with_themselves(scheme: str, grid: str, ratio: float, small: Path) -> None:
    spec = ExtractSpec(scheme=scheme, grid=PatchGrid.parse(grid), ratio=ratio, energy_grid=PatchGrid(5, 6))
    volume, facts = whole_video(ref(small), spec)
    assert len(volume) == facts.num_frames == FRAMES
    assert volume.mask.shape == (FRAMES, spec.grid.rows, spec.grid.cols)
    assert (volume.mask.sum(axis=(1, 2)) == spec.layout.masked).all()
    assert (np.diff(volume.pts) > 0).all()
    assert {name: values.dtype.name for name, values in volume.arrays().items()}.items() <= DTYPES.items()
    looks = masking.build(scheme).needs_motion
    assert (volume.energy is not None) == (volume.energy_scale is not None) == looks
    if volume.energy is not None:
        assert volume.energy.shape == (FRAMES, 5, 6)


def test_energy_is_left_out_on_request_and_changes_nothing_else(small: Path) -> None:
    volume, without = masks(small), masks(small, energy=False)
    assert without.energy is None
    assert without.energy_scale is None
    for name, values in without.arrays().items():
        np.testing.assert_array_equal(values, volume.arrays()[name])


def test_flags_tell_key_frames_and_vectors(small: Path) -> None:
    volume = masks(small)
    assert flagged(volume, FrameFlag.KEY_FRAME) == [0]
    assert flagged(volume, FrameFlag.HAS_VECTORS) == list(range(1, FRAMES))
    assert flagged(volume, FrameFlag.PROPAGATED) == [0]
    assert flagged(volume, FrameFlag.FALLBACK | FrameFlag.SCENE_CUT | FrameFlag.CORRUPT) == []


@pytest.mark.parametrize("scheme", ["random", "tube", "fixed-box", "simulated-motion"])
def test_every_video_and_seed_draws_on_its_own(scheme: str, small: Path, folder: Path) -> None:
    other = folder / "other.mp4"
    other.write_bytes(small.read_bytes())
    specs = [(small, 0), (small, 1), (other, 0)]
    found = {masks(path, scheme=scheme, seed=seed, ratio=0.1).mask.tobytes() for path, seed in specs}
    assert len(found) == 3
    assert_same(masks(other, scheme=scheme, seed=1), masks(other, scheme=scheme, seed=1))


# Boxes on what moves.


def test_the_box_hides_what_moves_against_the_camera(moving: Path) -> None:
    share = hidden_share(masks(moving, ratio=0.25), square_path(FRAMES, START, STEP))
    assert (share >= 0.8).mean() >= 0.8


def test_the_centre_does_not_hide_it(moving: Path) -> None:
    share = hidden_share(masks(moving, ratio=0.25, scheme="centre-box"), square_path(FRAMES, START, STEP))
    assert share[0] < 0.6
    assert share[-1] < 0.6


def test_the_path_is_smooth(moving: Path) -> None:
    box = masks(moving, ratio=0.25).box.astype(int)
    assert np.abs(np.diff(box, axis=0)).max() <= 2 * 256 / 14 + 1
    assert box[-1, 1] > box[0, 1] + 3 * 256 / 14


@pytest.mark.parametrize("source", [{}, {"cell": 8}])
@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_boxes_are_in_the_displayed_picture(matrix: Place, source: dict[str, int], folder: Path) -> None:
    a, b, c, d = matrix
    film = turn(encode(folder / "turned.mp4", over_a_pan(16)), matrix)
    size = np.array((192, 256) if a else (256, 192))
    shown = []
    for top, left in square_path(16, START, STEP):
        corners = [(b * x + d * y, a * x + c * y) for y in (top, top + SIDE) for x in (left, left + SIDE)]
        lowest = np.min(corners, axis=0)
        flips = np.array([min(b, d) < 0, min(a, c) < 0])
        shown.append(tuple(lowest + flips * size))
    volume = masks(film, ratio=0.25, source_options=source)
    assert (volume.box[:, 2:] <= size).all()
    assert (hidden_share(volume, shown) >= 0.8).mean() >= 0.8


# Stillness and scenes.


def test_where_nothing_moves_the_box_is_in_the_centre(still: Path) -> None:
    volume = masks(still, ratio=0.25)
    assert flagged(volume, FrameFlag.FALLBACK) == list(range(FRAMES))
    assert (volume.box == volume.box[0]).all()
    np.testing.assert_array_equal(volume.box[0], [10, 17, 34, 57])
    assert volume.energy is not None
    assert volume.energy_scale is not None
    assert not volume.energy.any()
    assert not volume.energy_scale.any()


def test_black_films_have_masks(folder: Path) -> None:
    volume = masks(encode(folder / "black.mp4", [np.full((48, 64), 16, np.uint8)] * 5))
    assert flagged(volume, FrameFlag.FALLBACK) == list(range(5))


def test_a_film_of_one_frame_has_a_mask(folder: Path) -> None:
    volume = masks(encode(folder / "one.mp4", panning(1, 48, 64)))
    assert len(volume) == 1
    assert flagged(volume, FrameFlag.FALLBACK) == [0]


def test_scene_cuts_are_flagged_exactly(scenes: Path) -> None:
    for scheme in ("motion-guided", "motion-literal"):
        assert flagged(masks(scenes, scheme=scheme), FrameFlag.SCENE_CUT) == [15]


def test_every_scene_has_its_own_path(scenes: Path) -> None:
    path = square_path(15, START, STEP) + square_path(15, (8, 180), (2, -2))
    volume = masks(scenes, ratio=0.25, scheme_options={"smoothness": 0.1})
    share = hidden_share(volume, path)
    assert (share[:15] >= 0.8).mean() >= 0.6
    assert (share[15:] >= 0.8).mean() >= 0.8
    jumps = np.abs(np.diff(volume.box[:, :2].astype(int), axis=0)).sum(axis=1)
    assert jumps.argmax() == 14


def test_only_the_still_scene_falls_back(folder: Path) -> None:
    film = encode(folder / "half.mp4", over_a_pan(10) + panning(10, 192, 256, (0, 0), 50), g="10", **FAITHFUL)
    volume = masks(film, ratio=0.25)
    assert flagged(volume, FrameFlag.SCENE_CUT) == [10]
    assert set(flagged(volume, FrameFlag.FALLBACK)) == set(range(10, 20))


# Chunks.


@pytest.fixture(params=[(1, 0), (5, 3), (12, 12), (FRAMES, 1), (FRAMES - 1, 1)], ids=str)
def small_chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    chunk, ahead = request.param
    monkeypatch.setattr(pipeline, "CHUNK_FRAMES", chunk)
    monkeypatch.setattr(pipeline, "LOOKAHEAD", ahead)
    return int(chunk)


def in_one(path: Path, **spec: Any) -> MaskVolume:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "CHUNK_FRAMES", 10_000)
        return masks(path, **spec)


@pytest.mark.parametrize("scheme", [name for name in VOLUMES if name not in LOOKS_AHEAD])
def test_chunks_leave_no_trace(scheme: str, small_chunks: int, small: Path) -> None:
    assert_same(masks(small, scheme=scheme), in_one(small, scheme=scheme))


@pytest.mark.parametrize("scheme", sorted(LOOKS_AHEAD))
def test_chunks_change_only_where_the_box_is(scheme: str, small_chunks: int, moving: Path) -> None:
    cut, whole = masks(moving, scheme=scheme, ratio=0.25), in_one(moving, scheme=scheme, ratio=0.25)
    for name in ("pts", "flags", "energy", "energy_scale"):
        np.testing.assert_array_equal(cut.arrays()[name], whole.arrays()[name], err_msg=name)
    np.testing.assert_array_equal(cut.mask.sum(axis=(1, 2)), whole.mask.sum(axis=(1, 2)))
    share = hidden_share(cut, square_path(FRAMES, START, STEP))
    assert (share >= 0.8).mean() >= 0.7


def test_chunks_are_as_long_as_they_say(small_chunks: int, small: Path) -> None:
    with stream_masks(ref(small), ExtractSpec()) as stream:
        lengths = [len(chunk) for chunk in stream.chunks]
    assert sum(lengths) == FRAMES
    assert set(lengths[:-1]) <= {small_chunks}
    assert 0 < lengths[-1] <= small_chunks


def test_chunks_agree_that_nothing_moves(small_chunks: int, still: Path) -> None:
    assert_same(masks(still), in_one(still))


def test_chunks_agree_on_a_still_scene_after_a_cut(small_chunks: int, folder: Path) -> None:
    pictures = over_a_pan(10) + panning(14, 192, 256, (0, 0), 50)
    film = encode(folder / f"chunks-{small_chunks}.mp4", pictures, g="10", **FAITHFUL)
    whole = in_one(film)
    assert flagged(whole, FrameFlag.FALLBACK) == list(range(10, 24))
    np.testing.assert_array_equal(masks(film).flags, whole.flags)


# Opening and closing.


def test_a_stream_says_what_it_reads(moving: Path) -> None:
    with stream_masks(ref(moving), ExtractSpec()) as stream:
        assert (stream.info.height, stream.info.width, stream.info.codec) == (192, 256, "h264")
        assert sum(map(len, stream.chunks)) == FRAMES
        assert stream.facts().num_frames == FRAMES
        assert stream.facts().vector_frames == FRAMES - 1


@pytest.mark.parametrize(
    "spec", [ExtractSpec(scheme="x"), ExtractSpec(source="x"), ExtractSpec(scheme_options={"x": 1})]
)
def test_unknown_names_are_refused_before_a_file_is_opened(spec: ExtractSpec, tmp_path: Path) -> None:
    with pytest.raises(UsageError), stream_masks(ref(tmp_path / "absent.mp4"), spec):
        pass


def test_schemes_that_do_not_look_need_no_vectors(folder: Path) -> None:
    film = encode(folder / "intra.mp4", panning(4, 48, 64), g="1")
    assert len(masks(film, scheme="tube")) == 4
    with pytest.raises(NoMotionVectorsFailure):
        masks(film, source="codec")
    assert len(masks(film)) == 4


@pytest.mark.parametrize("scheme", VOLUMES)
def test_warming_up_needs_no_video(scheme: str) -> None:
    warm_up(ExtractSpec(scheme=scheme))
