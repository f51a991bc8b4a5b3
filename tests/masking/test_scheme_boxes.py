"""The boxes scheme: one object of a file of tracks is followed, from the tokens of a request to a corpus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mgmtool import masking
from mgmtool.errors import TracksFailure, UsageError
from mgmtool.extraction import extract
from mgmtool.extraction import stream as pipeline
from mgmtool.extraction.stream import warm_up, whole_video
from mgmtool.masking import objects_in_tokens, visible
from mgmtool.types import ExtractSpec, FrameFlag, MaskVolume, PatchGrid, Placement, PlacementRequest, TokenLayout
from support import tiny_videos
from support.moving import MATRICES, encode, panning, ref, square_path, turn, with_square

Array = NDArray[Any]
Place = tuple[int, int]

GONE = None


def objects(*paths: list[tuple[float, float] | None], side: float = 2.0) -> Array:
    """Squares by the path of their centres (y, x), (frames, objects, 4)."""
    found = np.full((len(paths[0]), len(paths), 4), np.nan, np.float32)
    for k, path in enumerate(paths):
        for t, spot in enumerate(path):
            if spot is not None:
                y, x = spot
                found[t, k] = y - side / 2, x - side / 2, y + side / 2, x + side / 2
    return found


def asked(
    known: Array | None, frames: int = 4, grid: str = "14x14", ratio: float = 0.25, **more: Any
) -> PlacementRequest:
    layout = TokenLayout.of(PatchGrid.parse(grid), ratio)
    count = frames if known is None else len(known)
    energy = np.zeros((count, layout.rows, layout.cols), np.float32)
    return PlacementRequest(energy, np.zeros(count, np.bool_), layout, objects=known, **more)


def place(request: PlacementRequest) -> Placement:
    return masking.build("boxes").place(request)


def corners(request: PlacementRequest) -> list[Place]:
    placed = place(request)
    assert (placed.mask.sum(axis=(1, 2)) == request.layout.masked).all()
    assert not placed.fallback.any()
    return [(int(y), int(x)) for y, x in placed.corner]


# Where the box is; it has 7 x 7 of 14 x 14 tokens.


def test_the_box_follows_the_object() -> None:
    path = [(4.5, 4.5), (5.5, 5.5), (6.5, 7.7), (7.5, 10.5)]
    assert corners(asked(objects(path))) == [(1, 1), (2, 2), (3, 4), (4, 7)]


def test_between_two_tokens_the_box_is_towards_the_top_left() -> None:
    assert corners(asked(objects([(7, 7)]))) == [(3, 3)]
    assert masking.build("centre-box").place(asked(None)).corner[0].tolist() == [3, 3]


def test_the_box_stays_in_the_grid() -> None:
    path = [(0.0, 0.0), (14.0, 14.0), (-5e8, 5e8), (3.5, 20.0)]
    assert corners(asked(objects(path))) == [(0, 0), (7, 7), (0, 7), (0, 7)]


def test_an_absent_object_holds_the_box() -> None:
    path = [(4.5, 4.5), GONE, GONE, (9.5, 9.5), GONE]
    assert corners(asked(objects(path))) == [(1, 1)] * 3 + [(6, 6)] * 2


def test_before_it_appears_the_box_is_where_it_will_be() -> None:
    assert corners(asked(objects([GONE, GONE, (9.5, 8.5)]))) == [(6, 5)] * 3


def test_a_run_in_the_middle_starts_with_the_box_before() -> None:
    assert corners(asked(objects([GONE, (9.5, 8.5)]), first=9, previous=(2, 3))) == [(2, 3), (6, 5)]
    assert corners(asked(objects([GONE, GONE]), first=9, previous=(2, 3))) == [(2, 3)] * 2


@pytest.mark.parametrize("known", [None, objects([GONE] * 4), np.empty((4, 0, 4), np.float32)])
def test_without_an_object_the_box_is_in_the_centre(known: Array | None) -> None:
    placed = place(asked(known))
    assert placed.fallback.all()
    assert placed.corner.tolist() == [[3, 3]] * 4
    held = place(asked(known, first=4, previous=(0, 5)))
    assert not held.fallback.any()
    assert held.corner.tolist() == [[0, 5]] * 4


# Which object it is on.

THREE = objects([(4.5, 4.5)] * 6, [(10.5, 4.5)] * 6, [(4.5, 10.5)] * 6)


def test_seeds_pick_objects_evenly() -> None:
    found = [corners(asked(THREE, seed=seed))[0] for seed in range(300)]
    counts = {spot: found.count(spot) for spot in found}
    assert set(counts) == {(1, 1), (7, 1), (1, 7)}
    assert min(counts.values()) > 70


def test_the_same_seed_picks_the_same_object() -> None:
    assert len({tuple(corners(asked(THREE, seed=5))) for _ in range(3)}) == 1


places = st.one_of(st.none(), st.tuples(st.floats(-3, 17), st.floats(-3, 17)))
starts = st.tuples(st.floats(0, 14), st.floats(0, 14))


@given(
    paths=st.lists(st.tuples(starts, st.lists(places, min_size=7, max_size=7)), min_size=1, max_size=4),
    seed=st.integers(0, 2**64 - 1),
    split=st.integers(1, 7),
    grid=st.sampled_from(["14x14", "7x9"]),
)
def test_runs_are_placed_as_the_whole(paths: list[Any], seed: int, split: int, grid: str) -> None:
    known = objects(*([start, *rest] for start, rest in paths))
    whole = asked(known, grid=grid, seed=seed)
    expected = place(whole)
    parts = [replace(whole, energy=whole.energy[s], cut=whole.cut[s], objects=known[s]) for s in two_parts(split)]
    first = place(parts[0])
    before = (int(first.corner[-1, 0]), int(first.corner[-1, 1]))
    second = place(replace(parts[1], first=split, previous=before))
    for name in ("mask", "corner", "fallback"):
        joined = np.concatenate([getattr(first, name), getattr(second, name)])
        np.testing.assert_array_equal(joined, getattr(expected, name))


def two_parts(split: int) -> tuple[slice, slice]:
    return slice(0, split), slice(split, None)


# Pixels to tokens.

numbers = st.integers(-300, 300).map(float)


@given(
    corner=st.tuples(numbers, numbers),
    size=st.tuples(st.integers(1, 99), st.integers(1, 99)),
    crop=st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 300), st.integers(1, 300)),
    grid=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    hflip=st.booleans(),
)
def test_boxes_are_turned_into_tokens(corner: Any, size: Any, crop: Any, grid: Place, hflip: bool) -> None:
    box = np.array([[[*corner, corner[0] + size[0], corner[1] + size[1]]]], np.float32)
    before = box.copy()
    found = objects_in_tokens(box, *map(float, crop), *grid, hflip)[0, 0]
    top, left, height, width = crop
    y = [(value - top) / height * grid[0] for value in box[0, 0, ::2].tolist()]
    x = [(value - left) / width * grid[1] for value in box[0, 0, 1::2].tolist()]
    if hflip:
        x = [grid[1] - x[1], grid[1] - x[0]]
    np.testing.assert_allclose(found, [y[0], x[0], y[1], x[1]], rtol=1e-5, atol=1e-4)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(box, before)


@pytest.mark.parametrize("hflip", [False, True])
def test_absent_objects_stay_absent_without_a_warning(hflip: bool) -> None:
    boxes = np.full((2, 3, 4), np.nan, np.float32)
    boxes[1, 2] = 10, 20, 30, 60
    found = objects_in_tokens(boxes, 10, 20, 40, 80, 4, 8, hflip)
    assert np.isnan(found).all(axis=2).tolist() == [[True] * 3, [True, True, False]]
    assert found[1, 2].tolist() == ([0, 4, 2, 8] if hflip else [0, 0, 2, 4])
    assert objects_in_tokens(boxes[:, :0], 0, 0, 1, 1, 4, 8, hflip).shape == (2, 0, 4)


@pytest.mark.parametrize(
    ("box", "seen"),
    [
        ((0, 0, 1, 1), True),
        ((-9, -9, 0.1, 0.1), True),
        ((6.9, 8.9, 20, 20), True),
        ((-9, -9, 99, 99), True),
        ((-2, 0, 0, 5), False),
        ((0, -2, 5, 0), False),
        ((7, 0, 9, 5), False),
        ((0, 9, 5, 11), False),
    ],
)
def test_visible_objects_overlap_the_grid_in_some_frame(box: tuple[float, ...], seen: bool) -> None:
    known = np.full((3, 2, 4), np.nan, np.float32)
    known[1, 0] = box
    assert visible(known, 7, 9).tolist() == [seen, False]
    assert visible(known[:0], 7, 9).tolist() == [False, False]


# Options.


def test_a_pattern_with_an_unknown_field_is_refused_before_a_video_is_opened(tmp_path: Path) -> None:
    spec = ExtractSpec(scheme="boxes", scheme_options={"tracks_file": "{stam}.txt"})
    with pytest.raises(UsageError, match=r"has the field \{stam\}; expected one of: \{folder\} "):
        next(extract([str(tmp_path)], tmp_path / "m.zarr", spec, "inline"))
    with pytest.raises(UsageError, match=r"^boxes option tracks_file is ''; expected a path"):
        masking.build("boxes", {"tracks_file": ""})


# Videos.

FRAMES, SIDE = 12, 16
PATH = square_path(FRAMES, (8, 4), (1, 4))


def mot(path: list[Place], frames: set[int] | None = None, track: int = 1) -> str:
    rows = [f"{t + 1},{track},{x},{y},{SIDE},{SIDE}" for t, (y, x) in enumerate(path) if frames is None or t in frames]
    return "\n".join([*rows, ""])


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A square over a background; nobody changes it."""
    folder = tmp_path_factory.mktemp("films")
    return encode(folder / "film.mp4", with_square(panning(FRAMES, 56, 84, (0, 0)), PATH, SIDE))


def masks(film: Path, text: str, folder: Path, **more: Any) -> MaskVolume:
    (folder / "film.txt").write_text(text)
    options = {"tracks_file": str(folder / "{stem}.txt")}
    return whole_video(ref(film), ExtractSpec(scheme="boxes", scheme_options=options, ratio=0.25, **more))[0]


def on_the_square(volume: MaskVolume, path: list[Place], most: float = 4.0) -> bool:
    """Whether the middle of every box is within some pixels of the middle of the square; a token has 4 x 6."""
    box = volume.box.astype(float)
    middles = (box[:, :2] + box[:, 2:]) / 2
    return bool((np.abs(middles - (np.array(path) + SIDE / 2)) <= most).all())


def test_the_box_is_on_the_object_of_the_film(film: Path, tmp_path: Path) -> None:
    inner = [(max(y, 6), min(max(x, 13), 55)) for y, x in PATH]  # where the box of 28 x 42 pixels has to stay inside
    volume = masks(film, mot(PATH), tmp_path)
    assert (volume.box[:, 2:] - volume.box[:, :2] == (28, 42)).all()
    assert on_the_square(volume, inner)
    assert not (volume.flags & int(FrameFlag.FALLBACK)).any()
    assert volume.energy is None


def test_boxes_are_those_of_the_displayed_picture(film: Path, tmp_path: Path) -> None:
    turned = turn(encode(tmp_path / "film.mp4", panning(FRAMES, 56, 84, (0, 0))), MATRICES["turned-90"])
    path = square_path(FRAMES, (30, 20), (1, 0))
    volume = masks(turned, mot(path), tmp_path)
    assert on_the_square(volume, path)


@pytest.mark.parametrize(("chunk", "ahead"), [(1, 0), (5, 3), (FRAMES - 1, 1)])
def test_chunks_follow_the_same_object(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, ahead: int
) -> None:
    others = [square_path(FRAMES, (30, 60 - 7 * k), (0, -1)) for k in range(5)]
    text = mot(PATH, {0, 1, 2, 7, 8}) + "".join(mot(path, track=2 + k) for k, path in enumerate(others))
    whole = [masks(film, text, tmp_path, seed=seed) for seed in range(8)]
    assert len({volume.box.tobytes() for volume in whole}) > 2
    monkeypatch.setattr(pipeline, "CHUNK_FRAMES", chunk)
    monkeypatch.setattr(pipeline, "LOOKAHEAD", ahead)
    for seed, volume in enumerate(whole):
        cut = masks(film, text, tmp_path, seed=seed)
        for name, values in volume.arrays().items():
            np.testing.assert_array_equal(cut.arrays()[name], values, err_msg=name)


def fallbacks(volume: MaskVolume) -> list[int]:
    return np.flatnonzero(volume.flags & int(FrameFlag.FALLBACK)).tolist()


@pytest.mark.parametrize("chunk", [1, 5, 100])
def test_a_film_without_objects_has_the_centre_box(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(pipeline, "CHUNK_FRAMES", chunk)
    monkeypatch.setattr(pipeline, "LOOKAHEAD", 0)
    volume = masks(film, "", tmp_path)
    assert fallbacks(volume) == list(range(FRAMES))
    assert (volume.box == volume.box[0]).all()


def test_the_fallback_ends_where_the_object_appears(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = mot(PATH, {6, 7, 10})
    assert fallbacks(masks(film, text, tmp_path)) == []
    monkeypatch.setattr(pipeline, "CHUNK_FRAMES", 2)
    monkeypatch.setattr(pipeline, "LOOKAHEAD", 1)
    volume = masks(film, text, tmp_path)
    assert fallbacks(volume) == list(range(6))
    assert (volume.box[:6] == volume.box[0]).all()
    assert (volume.box[6] != volume.box[0]).any()


def test_warming_up_reads_no_tracks() -> None:
    warm_up(ExtractSpec(scheme="boxes"))


def test_a_missing_file_is_named(film: Path) -> None:
    with pytest.raises(TracksFailure, match=r"^cannot read .*/film\.txt: No such file or directory; expected MOT text"):
        whole_video(ref(film), ExtractSpec(scheme="boxes"))


@pytest.mark.parametrize("engine", ["inline", "local"])
def test_a_bad_file_fails_its_own_video_only(tmp_path: Path, engine: str) -> None:
    folder = tmp_path / "videos"
    tiny_videos.write_clips(folder, 4)
    for number, text in enumerate([mot(PATH), "1,1,zero,0,5,5\n", mot(PATH)]):
        (folder / f"{number}.txt").write_text(text)
    spec = ExtractSpec(scheme="boxes", grid=PatchGrid(4, 6))
    outcomes = list(extract([str(folder)], tmp_path / "m.zarr", spec, engine))
    assert [outcome.failure for outcome in outcomes] == [None, "tracks", None, "tracks"]
    assert outcomes[1].message == (f"{folder}/1.txt, line 1: bb_left is 'zero'; expected a number from -1e+09 to 1e+09")
    assert (outcomes[3].message or "").startswith(f"cannot read {folder}/3.txt: No such file")
