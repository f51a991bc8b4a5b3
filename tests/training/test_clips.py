"""Clips: frames and crop of a training sample to its token mask."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mgmtool import masking
from mgmtool.errors import UsageError
from mgmtool.extraction.stream import whole_video
from mgmtool.kernels.tokens import sample_tokens
from mgmtool.masking import Scheme
from mgmtool.training.clips import place_clip
from mgmtool.types import (
    ClipRequest,
    Crop,
    ExtractSpec,
    FrameFlag,
    MaskVolume,
    PatchGrid,
    Placement,
    PlacementRequest,
    TokenLayout,
    TokenMask,
    Tracks,
    VideoMotion,
)
from support import groundtruth
from support.moving import ref

Array = NDArray[Any]

FRAMES, HEIGHT, WIDTH = 24, 90, 150
LAYOUT = TokenLayout(14, 14, 49, 7, 7)
SCHEMES = tuple(masking.names())
BOXES = {"motion-guided", "motion-literal", "simulated-motion", "fixed-box", "centre-box", "boxes"}


class Spy:
    """Wraps a scheme and keeps what it is asked."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme, self.needs_motion = scheme, scheme.needs_motion
        self.asked: list[PlacementRequest] = []

    def place(self, request: PlacementRequest) -> Placement:
        self.asked.append(request)
        return self.scheme.place(request)

    def place_many(self, requests: Sequence[PlacementRequest]) -> list[Placement]:
        return [self.place(request) for request in requests]


def asked(video: VideoMotion, request: ClipRequest, name: str = "motion-guided") -> PlacementRequest:
    """What the scheme is asked for a clip."""
    spy: Any = Spy(masking.build(name))
    place_clip(video, request, spy)
    (found,) = spy.asked
    return found


def placed(video: VideoMotion, request: ClipRequest, name: str = "motion-guided", **options: Any) -> TokenMask:
    return place_clip(video, request, masking.build(name, options))


def motion(energy: Array, scene: Array | None = None, **more: Any) -> VideoMotion:
    scale = np.linspace(0.5, 1.5, len(energy)).astype(np.float32)
    scene = np.zeros(len(energy), np.int64) if scene is None else scene
    return VideoMotion(HEIGHT, WIDTH, scene, energy, scale, **more)


def noise(seed: int = 0, frames: int = FRAMES, grid: tuple[int, int] = (15, 15)) -> Array:
    return np.random.default_rng(seed).integers(0, 256, (frames, *grid), np.uint8)


def some_tracks() -> Tracks:
    """One object that walks through the picture, one that comes late, one that is mostly outside."""
    rows = [(t, 0, (10 + t, 5 + 4 * t, 40 + t, 45 + 4 * t)) for t in range(FRAMES)]
    rows += [(t, 1, (50, 100, 80, 140)) for t in range(15, FRAMES)]
    rows += [(t, 2, (-30, -30, 4, 4)) for t in range(FRAMES)]
    rows.sort()
    frame, track, box = zip(*rows, strict=True)
    return Tracks(np.array(frame), np.array(track), np.array(box, np.float32))


@st.composite
def crops(draw: st.DrawFn) -> Crop | None:
    if draw(st.booleans()):
        return None
    height, width = draw(st.integers(1, HEIGHT)), draw(st.integers(1, WIDTH))
    return Crop(draw(st.integers(0, HEIGHT - height)), draw(st.integers(0, WIDTH - width)), height, width)


@st.composite
def requests(draw: st.DrawFn) -> ClipRequest:
    tubelet = draw(st.integers(1, 3))
    count = draw(st.integers(1, 5)) * tubelet
    frames = draw(st.lists(st.integers(0, FRAMES - 1), min_size=count, max_size=count))
    layout = draw(
        st.sampled_from([LAYOUT, TokenLayout.of(PatchGrid(14, 14), 0.75), TokenLayout.of(PatchGrid(5, 9), 0.4)])
    )
    seed, invert, keep = draw(st.integers(0, 99)), draw(st.booleans()), draw(st.sampled_from([0.0, 0.1, 1.0]))
    return ClipRequest(tuple(frames), layout, draw(crops()), draw(st.booleans()), tubelet, seed, invert, keep)


# What every clip keeps.


@pytest.mark.parametrize("name", SCHEMES)
@given(request=requests(), seed=st.integers(0, 5))
def test_every_clip_hides_the_exact_count(name: str, request: ClipRequest, seed: int) -> None:
    scene = np.cumsum(np.random.default_rng(seed).random(FRAMES) < 0.2)
    video = motion(noise(seed), scene, tracks=some_tracks() if name == "boxes" else None)
    found = placed(video, request, name)
    tubelets = len(request.frames) // request.tubelet
    assert found.mask.shape == (tubelets, request.layout.rows, request.layout.cols)
    assert found.mask.dtype == np.bool_
    counts = found.mask.sum(axis=(1, 2))
    assert counts.sum() == request.layout.masked * tubelets
    assert masking.build(name).exact == "clip" or (counts == request.layout.masked).all()
    assert (found.box.shape, found.box.dtype) == ((tubelets, 4), np.int16)
    assert (found.fallback.shape, found.fallback.dtype) == ((tubelets,), np.bool_)
    sides = found.box[:, 2:] - found.box[:, :2]
    layout = request.layout.complement() if request.invert else request.layout
    assert (sides == ([layout.box_rows, layout.box_cols] if name in BOXES else [0, 0])).all()
    assert (found.box >= 0).all()
    assert (found.box[:, 2:] <= [request.layout.rows, request.layout.cols]).all()


@pytest.mark.parametrize("name", SCHEMES)
def test_the_same_request_gives_the_same_mask(name: str) -> None:
    video = motion(noise(), tracks=some_tracks() if name == "boxes" else None)
    request = ClipRequest(tuple(range(16)), LAYOUT, Crop(3, 5, 60, 70), seed=4)
    left, right = placed(video, request, name), placed(video, request, name)
    np.testing.assert_array_equal(left.mask, right.mask)
    np.testing.assert_array_equal(left.box, right.box)


@pytest.mark.parametrize(
    "name", ["random", "tube", "simulated-motion", "fixed-box", "frame", "cube", "weighted-motion"]
)
def test_the_seed_of_the_sample_decides_what_is_random(name: str) -> None:
    clips = [ClipRequest(tuple(range(16)), LAYOUT, seed=seed) for seed in range(6)]
    assert len({placed(motion(noise()), clip, name).mask.tobytes() for clip in clips}) > 3


# Energy of the tokens.


def point_cells(first: Fraction, last: Fraction, tokens: int, cells: int) -> list[list[set[int]]]:
    """Cells that each of a token's four points may lie in: two where it lies on the line between them."""
    found = []
    for token in range(tokens):
        points = [first + (last - first) * (4 * token + k + Fraction(1, 2)) / (4 * tokens) for k in range(4)]
        places = [{int(p * cells), int(p * cells) - ((p * cells).denominator == 1)} for p in points]
        found.append([{min(max(place, 0), cells - 1) for place in choice} for choice in places])
    return found


def token_bounds(video: VideoMotion, request: ClipRequest) -> tuple[Array, Array]:
    """Least and largest energy of every token by its 4 x 4 points, one by one."""
    assert video.energy is not None
    assert video.energy_scale is not None
    rows, cols, size = request.layout.rows, request.layout.cols, request.tubelet
    crop = request.crop or Crop(0, 0, video.height, video.width)
    top, bottom = Fraction(crop.top, video.height), Fraction(crop.top + crop.height, video.height)
    left, right = Fraction(crop.left, video.width), Fraction(crop.left + crop.width, video.width)
    down = point_cells(top, bottom, rows, video.energy.shape[1])
    across = point_cells(left, right, cols, video.energy.shape[2])
    bounds = np.zeros((2, len(request.frames) // size, rows, cols))
    for (tubelet, row, col), k in itertools.product(np.ndindex(*bounds.shape[1:]), range(size)):
        frame = request.frames[size * tubelet + k]
        levels = video.energy[frame].astype(float) * float(video.energy_scale[frame])
        side = cols - 1 - col if request.hflip else col
        for ys, xs in itertools.product(down[row], across[col]):
            values = [levels[y, x] for y in ys for x in xs]
            bounds[:, tubelet, row, side] += np.array([min(values), max(values)]) / (16 * size)
    return bounds[0], bounds[1]


small_layouts = st.sampled_from([TokenLayout(3, 4, 4, 2, 2), TokenLayout(2, 2, 1, 1, 1), TokenLayout(5, 3, 4, 2, 2)])


@given(
    layout=small_layouts,
    frames=st.lists(st.integers(0, 5), min_size=4, max_size=4),
    crop=crops(),
    hflip=st.booleans(),
    grid=st.sampled_from([(4, 4), (15, 15), (7, 3), (1, 1)]),
)
def test_token_energy_is_that_of_its_points(
    layout: TokenLayout, frames: list[int], crop: Crop | None, hflip: bool, grid: tuple[int, int]
) -> None:
    video = motion(noise(1, 6, grid))
    request = ClipRequest(tuple(frames), layout, crop, hflip)
    energy = asked(video, request).energy
    assert energy.dtype == np.float32
    low, high = token_bounds(video, request)
    assert (energy >= low - 1e-3).all()
    assert (energy <= high + 1e-3).all()


def test_the_twin_leaves_no_room_where_no_point_is_on_a_line() -> None:
    request = ClipRequest((0, 1), LAYOUT)
    low, high = token_bounds(motion(noise()), request)
    np.testing.assert_array_equal(low, high)
    np.testing.assert_allclose(asked(motion(noise()), request).energy, low, rtol=1e-5)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = groundtruth.path_of(20)
    return groundtruth.write_film(tmp_path_factory.mktemp("film") / "video.mp4", path)


@pytest.mark.parametrize("name", ["motion-guided", "motion-literal", "simulated-motion", "centre-box"])
def test_the_whole_frame_is_placed_as_in_its_mask_volume(film: Path, name: str) -> None:
    spec = ExtractSpec(name)
    volume, facts = whole_video(ref(film), spec)
    video = VideoMotion.of(volume, facts.info.height, facts.info.width)
    seed = masking.derive_seed(spec.seed, film.name)
    clip = ClipRequest(tuple(range(len(volume))), spec.layout, tubelet=1, seed=seed)
    found = placed(video, clip, name)
    np.testing.assert_array_equal(found.mask, volume.mask)
    if video.energy is not None:
        assert video.energy_scale is not None
        whole = np.empty((len(volume), 14, 14), np.float32)
        sample_tokens(video.energy, video.energy_scale, 0.0, 0.0, 1.0, 1.0, False, whole)
        np.testing.assert_array_equal(asked(video, clip, name).energy, whole)


def test_a_scheme_without_motion_is_given_no_energy() -> None:
    video = VideoMotion(HEIGHT, WIDTH, np.zeros(4, np.int64))
    energy = asked(video, ClipRequest((0, 1, 2, 3), LAYOUT), "tube").energy
    assert energy.shape == (2, 14, 14)
    assert not energy.any()


# Crop and mirror.


@pytest.mark.parametrize(
    ("corner", "expected"), [((0, 0), (0, 0)), ((0, 1), (0, 7)), ((1, 0), (7, 0)), ((1, 1), (7, 7))]
)
def test_the_box_is_where_the_energy_of_the_crop_is(corner: tuple[int, int], expected: tuple[int, int]) -> None:
    energy = np.zeros((4, 16, 16), np.uint8)
    energy[:, 15 * corner[0], 15 * corner[1]] = 255
    crop = Crop((HEIGHT - 45) * corner[0], (WIDTH - 75) * corner[1], 45, 75)
    found = placed(motion(energy), ClipRequest((0, 1, 2, 3), LAYOUT, crop))
    assert (found.box[:, :2] == expected).all()
    assert not found.fallback.any()


def test_energy_outside_the_crop_does_not_count() -> None:
    energy = np.zeros((4, 16, 16), np.uint8)
    energy[:, 0, 0] = 255
    found = placed(motion(energy), ClipRequest((0, 1, 2, 3), LAYOUT, Crop(45, 75, 45, 75)))
    assert found.fallback.all()
    assert (found.box == [3, 3, 10, 10]).all()


@given(seed=st.integers(0, 99), cropped=st.booleans())
def test_a_mirrored_crop_has_the_mirrored_box(seed: int, cropped: bool) -> None:
    energy = noise(seed)
    crop = Crop(11, 17, 67, 73) if cropped else None  # no point of a token lies on a line between cells
    twin = Crop(11, WIDTH - 17 - 73, 67, 73) if cropped else None
    frames = tuple(range(16))
    plain = placed(motion(energy), ClipRequest(frames, LAYOUT, crop))
    mirrored = placed(motion(energy), ClipRequest(frames, LAYOUT, crop, hflip=True))
    other = placed(motion(np.ascontiguousarray(energy[:, :, ::-1])), ClipRequest(frames, LAYOUT, twin))
    np.testing.assert_array_equal(mirrored.mask, plain.mask[:, :, ::-1])
    np.testing.assert_array_equal(mirrored.box[:, [1, 3]], 14 - plain.box[:, [3, 1]])
    np.testing.assert_array_equal(mirrored.mask, other.mask)


# Time.


def test_frames_come_in_any_order_and_more_than_once() -> None:
    video = motion(noise())
    frames = (9, 9, 3, 2, 21, 0, 9, 9)
    energy = asked(video, ClipRequest(frames, LAYOUT)).energy
    single = [asked(video, ClipRequest((frame,), LAYOUT, tubelet=1)).energy[0] for frame in frames]
    for tubelet, pair in enumerate(zip(single[::2], single[1::2], strict=True)):
        np.testing.assert_allclose(energy[tubelet], np.mean(pair, axis=0), rtol=1e-6)
    np.testing.assert_array_equal(energy[0], energy[3])


@pytest.mark.parametrize(
    ("cut_at", "expected"),
    [
        pytest.param((4,), [False, True, False], id="on-the-first-frame-of-a-tubelet"),
        pytest.param((3,), [False, True, False], id="on-a-skipped-frame"),
        pytest.param((2,), [False, True, False], id="inside-a-tubelet"),
        pytest.param((5, 7), [False, False, True], id="two-before-one-tubelet"),
        pytest.param((0,), [False, False, False], id="before-the-clip"),
        pytest.param((11,), [False, False, False], id="after-the-last-start"),
    ],
)
def test_cuts_between_tubelets(cut_at: tuple[int, ...], expected: list[bool]) -> None:
    scene = np.cumsum(np.isin(np.arange(FRAMES), cut_at))
    clip = ClipRequest((0, 2, 4, 6, 8, 10), LAYOUT)
    assert asked(motion(noise(), scene), clip).cut.tolist() == expected


def test_a_clip_that_runs_backwards_has_its_cuts() -> None:
    scene = np.cumsum(np.isin(np.arange(FRAMES), (4,)))
    assert asked(motion(noise(), scene), ClipRequest((6, 5, 4, 3, 2, 1), LAYOUT)).cut.tolist() == [False, False, True]


def test_scenes_are_counted_from_the_flags_of_a_volume() -> None:
    flags = np.array([0, int(FrameFlag.SCENE_CUT | FrameFlag.HAS_VECTORS), 2, int(FrameFlag.SCENE_CUT)], np.uint8)
    mask, box = np.zeros((4, 2, 2), np.bool_), np.zeros((4, 4), np.int16)
    video = VideoMotion.of(MaskVolume(mask, box, np.arange(4), flags), 48, 64)
    assert video.scene.tolist() == [0, 1, 1, 2]
    assert len(video) == 4


@pytest.mark.parametrize("cut", [False, True])
def test_a_cut_starts_the_path_anew(cut: bool) -> None:
    energy = np.zeros((8, 16, 16), np.uint8)
    energy[:5, 0, 0] = energy[5:, 15, 15] = 255  # frame 5 is skipped by a stride of 2
    scene = (np.arange(8) >= 5).astype(np.int64) * cut
    clip = ClipRequest((0, 2, 4, 6), LAYOUT, tubelet=1)
    found = placed(motion(energy, scene), clip, smoothness=1e5)
    assert found.box[:, 0].tolist() == ([0, 0, 0, 7] if cut else [0, 0, 0, 0])


@pytest.mark.parametrize(
    ("frames", "tubelet", "stride"),
    [
        pytest.param(tuple(range(0, 24, 2)), 2, 4.0, id="the-usual"),
        pytest.param(tuple(range(16)), 2, 2.0, id="every-frame"),
        pytest.param((8, 7, 6, 5, 4, 3), 2, 2.0, id="backwards"),
        pytest.param((0, 1, 6, 7, 8, 9), 2, 4.0, id="uneven-is-the-mean"),
        pytest.param((5, 5, 5, 5), 1, 1.0, id="at-least-one"),
        pytest.param((3, 4, 5), 3, 3.0, id="one-tubelet"),
    ],
)
def test_the_stride_is_from_tubelet_to_tubelet(frames: tuple[int, ...], tubelet: int, stride: float) -> None:
    assert asked(motion(noise()), ClipRequest(frames, LAYOUT, tubelet=tubelet)).stride == stride


# Objects.


def test_objects_outside_the_crop_are_left_out() -> None:
    frames = tuple(range(0, 16, 2))
    video = motion(noise(), tracks=some_tracks())
    inside = asked(video, ClipRequest(frames, LAYOUT, Crop(40, 80, 50, 70)), "boxes").objects
    whole = asked(video, ClipRequest(frames, LAYOUT), "boxes").objects
    early = asked(video, ClipRequest((0, 1), LAYOUT, Crop(40, 80, 50, 70)), "boxes").objects
    assert inside is not None
    assert whole is not None
    assert early is not None
    assert (whole.shape, inside.shape, early.shape) == ((4, 2, 4), (4, 1, 4), (1, 0, 4))


@pytest.mark.parametrize("hflip", [False, True])
def test_objects_are_in_tokens_of_the_crop_and_the_box_is_on_them(hflip: bool) -> None:
    tracks = Tracks(np.arange(2), np.zeros(2, np.int64), np.array([[20, 40, 30, 60], [30, 45, 40, 65]], np.float32))
    clip = ClipRequest((0, 1), LAYOUT, Crop(10, 30, 70, 70), hflip, tubelet=1)
    found = asked(motion(noise(), tracks=tracks), clip, "boxes").objects
    assert found is not None
    left = [[[2, 2, 4, 6]], [[4, 3, 6, 7]]]  # a token has 5 x 5 pixels
    mirrored = [[[2, 8, 4, 12]], [[4, 7, 6, 11]]]
    np.testing.assert_array_equal(found, mirrored if hflip else left)
    box = placed(motion(noise(), tracks=tracks), clip, "boxes").box
    assert box[:, :2].tolist() == ([[0, 6], [1, 5]] if hflip else [[0, 0], [1, 1]])


def test_without_tracks_there_are_no_objects() -> None:
    assert asked(motion(noise()), ClipRequest((0, 1), LAYOUT)).objects is None


# What is hidden instead.


@pytest.mark.parametrize("name", SCHEMES)
def test_the_inverse_is_the_complement_of_what_the_scheme_would_hide(name: str) -> None:
    video = motion(noise(), tracks=some_tracks() if name == "boxes" else None)
    whole = ClipRequest(tuple(range(16)), TokenLayout.of(PatchGrid(7, 9), 0.7), seed=4)
    few = dataclasses.replace(whole, layout=whole.layout.complement())
    inverse, plain = placed(video, dataclasses.replace(whole, invert=True), name), placed(video, few, name)
    np.testing.assert_array_equal(inverse.mask, ~plain.mask)
    np.testing.assert_array_equal(inverse.box, plain.box)


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.25, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("grid", [PatchGrid(14, 14), PatchGrid(7, 9), PatchGrid(1, 1)])
def test_the_complement_of_a_layout(grid: PatchGrid, ratio: float) -> None:
    layout, other = TokenLayout.of(grid, ratio), TokenLayout.of(grid, ratio).complement()
    assert layout.masked + other.masked == grid.rows * grid.cols
    assert (other.rows, other.cols) == (grid.rows, grid.cols)
    ideal = TokenLayout.of(grid, 1 - ratio)
    assert abs(other.box_rows - ideal.box_rows) <= 1
    assert abs(other.box_cols - ideal.box_cols) <= 1


def test_an_inverted_box_is_the_visible_window() -> None:
    energy = np.zeros((16, 14, 14), np.uint8)
    energy[:, :4, 10:] = 255
    found = placed(motion(energy), ClipRequest(tuple(range(16)), TokenLayout.of(PatchGrid(14, 14), 0.75), invert=True))
    assert (found.box == [0, 7, 7, 14]).all()
    assert not found.mask[:, :7, 7:].any()
    assert found.mask.sum(axis=(1, 2)).tolist() == [147] * 8


@pytest.mark.parametrize("name", ["tube", "motion-guided", "frame", "random"])
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5, 1.0])
def test_a_share_of_the_hidden_tokens_stays_visible(name: str, invert: bool, share: float) -> None:
    plain = ClipRequest(tuple(range(16)), LAYOUT, seed=3, invert=invert)
    before = placed(motion(noise()), plain, name)
    after = placed(motion(noise()), dataclasses.replace(plain, keep_visible=share), name)
    np.testing.assert_array_equal(after.box, before.box)
    for was, now in zip(before.mask, after.mask, strict=True):
        expected = min(round(share * int(was.sum())), int((~was).sum()))
        assert (was & ~now).sum() == (~was & now).sum() == expected


def test_which_tokens_stay_visible_is_drawn_by_the_seed_and_in_every_tubelet() -> None:
    clips = [ClipRequest(tuple(range(16)), LAYOUT, seed=seed, keep_visible=0.2) for seed in (0, 0, 1)]
    first, same, other = (placed(motion(noise()), clip, "centre-box").mask for clip in clips)
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()
    assert len({mask.tobytes() for mask in first}) == 8


@pytest.mark.parametrize("share", [-0.1, 1.01, float("nan"), float("inf")])
def test_only_a_share_can_stay_visible(share: float) -> None:
    with pytest.raises(UsageError) as caught:
        placed(motion(noise()), ClipRequest((0, 1), LAYOUT, keep_visible=share))
    assert str(caught.value) == f"keep_visible is {share}; expected 0 to 1"


# Errors.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": (0, FRAMES)}, f"frame index is {FRAMES}; expected 0 to {FRAMES - 1}"),
        ({"frames": (-1, 0)}, f"frame index is -1; expected 0 to {FRAMES - 1}"),
        ({"frames": (0, 1, 2)}, "clip has 3 frames; expected 1 or more tubelets of 2 frames"),
        ({"frames": ()}, "clip has 0 frames; expected 1 or more tubelets of 2 frames"),
        ({"tubelet": 0}, "clip has 2 frames; expected 1 or more tubelets of 0 frames"),
        *(
            ({"crop": crop}, f"crop is {crop}; expected a rectangle inside the frame, {HEIGHT} x {WIDTH}")
            for crop in (
                Crop(1, 0, HEIGHT, 9),
                Crop(0, 1, 9, WIDTH),
                Crop(-1, 0, 9, 9),
                Crop(0, -1, 9, 9),
                Crop(0, 0, 0, 9),
            )
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        placed(motion(noise()), ClipRequest(**({"frames": (0, 1), "layout": LAYOUT} | changes)))
    assert str(caught.value) == message


def test_motion_without_energy_is_refused_rather_than_the_centre_box() -> None:
    video = VideoMotion(HEIGHT, WIDTH, np.zeros(4, np.int64))
    with pytest.raises(UsageError, match="MotionGuided looks at motion, but the video has no energy"):
        placed(video, ClipRequest((0, 1), LAYOUT))
