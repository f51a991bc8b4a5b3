"""A video and its masks as film, animation and contact sheet, from the library and from the command line."""

from __future__ import annotations

import dataclasses
import itertools
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from mgmtool import masking, sources
from mgmtool.drawing import Contender, Layers, Panels, compare, plan_sheet, plan_strips, read_contenders, visualize
from mgmtool.drawing.contenders import clip_masks, times_of
from mgmtool.drawing.style import BRIGHT
from mgmtool.errors import NoMotionVectorsFailure, OutputError, UsageError
from mgmtool.extraction import Recipe, extract
from mgmtool.extraction.stream import warm_up, whole_video
from mgmtool.types import ExtractSpec, FrameFlag, MaskVolume, VideoRef
from mgmtool.video.pictures import read_pictures
from support import calling
from support.moving import MATRICES
from support.synthetic import MARKER, Clip, volume_for, write_clip

BOX_ONLY = Layers(mask=False, energy=False)
NOTHING = Layers(mask=False, energy=False, box=False)


def film(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def sheet(path: Path) -> Any:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def thumb(picture: Any, clip: Clip, number: int = 0, count: int = 1) -> Any:
    """Cut one picture out of a contact sheet without marks, title included."""
    plan = plan_sheet(count, *clip.shape)
    pale = (picture == picture[0, 0]).all(axis=-1)
    tops = [row for row in range(1, len(pale)) if pale[row - 1, 12:200].all() and not pale[row, 12:200].any()]
    row, column = divmod(number, plan.columns)
    left = 12 + column * (plan.cell_width + 12)
    return picture[tops[row] : tops[row] + plan.height, left : left + plan.width]


def box_found(picture: Any) -> list[int]:
    ys, xs = (np.abs(picture.astype(int) - BRIGHT).sum(axis=-1) < 90).nonzero()
    return [int(ys.min()), int(xs.min()), int(ys.max()) + 1, int(xs.max()) + 1]


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    return write_clip(tmp_path / "clip.mp4", frames=24)


# --- films -----------------------------------------------------------------------------------------------------------


def test_a_film_has_the_frames_and_the_rate_of_the_video(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=17, bframes=2, fps=Fraction(30000, 1001))
    volume = dataclasses.replace(volume_for(clip), pts=np.arange(17, dtype=np.int64) * 1001)
    written = visualize(clip.path, tmp_path / "out.mp4", volume=volume)
    assert written == tmp_path / "out.mp4"
    pictures = film(written)
    assert len(pictures) == 17
    assert pictures[0].shape == (192, 256, 3)
    with av.open(str(written)) as container:
        assert container.streams.video[0].average_rate == Fraction(30000, 1001)


@pytest.mark.parametrize("shown", MATRICES)
def test_a_turned_video_is_upright_with_the_box_on_the_object(tmp_path: Path, shown: str) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=6, shown=shown)
    pictures = film(visualize(clip.path, tmp_path / "out.mp4", volume=volume_for(clip), layers=BOX_ONLY))
    inner = slice(4, MARKER - 4)
    for picture, box in zip(pictures, clip.boxes.tolist(), strict=True):
        assert picture.shape[:2] == clip.shape
        red, blue = picture[inner, inner].mean(axis=(0, 1)), picture[inner, -MARKER + 4 : -4].mean(axis=(0, 1))
        assert red[0] > 170 > 70 > red[2]
        assert blue[2] > 170 > 70 > blue[0]
        assert np.abs(np.subtract(box_found(picture), box)).max() <= 2


@pytest.mark.parametrize("shown", ["upright", "turned-90", "mirrored"])
def test_masks_computed_on_the_fly_fall_on_what_moves(tmp_path: Path, shown: str) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=24, shown=shown)
    volume, _ = whole_video(VideoRef("clip.mp4", str(clip.path)), ExtractSpec(ratio=0.25))
    pictures = film(visualize(clip.path, tmp_path / "out.mp4", volume=volume, layers=BOX_ONLY))
    for picture, (y0, x0, y1, x1) in zip(pictures, clip.boxes.tolist(), strict=True):
        top, left, bottom, right = box_found(picture)
        assert top < (y0 + y1) / 2 < bottom
        assert left < (x0 + x1) / 2 < right


def test_odd_sizes_make_a_film(tmp_path: Path, clip: Clip) -> None:
    written = visualize(clip.path, tmp_path / "out.mp4", volume=volume_for(clip), max_side=101)
    assert film(written)[0].shape == (76, 102, 3)


def test_max_side_scales_the_box_along(tmp_path: Path, clip: Clip) -> None:
    written = visualize(clip.path, tmp_path / "out.mp4", volume=volume_for(clip), max_side=128, layers=BOX_ONLY)
    pictures = film(written)
    assert pictures[5].shape == (96, 128, 3)
    assert np.abs(np.array(box_found(pictures[5])) - clip.boxes[5] / 2).max() <= 2.5


def test_dimming_follows_the_mask_in_every_frame(tmp_path: Path, clip: Clip) -> None:
    volume = volume_for(clip)
    plain = film(visualize(clip.path, tmp_path / "plain.mp4", volume=volume, layers=NOTHING))
    masked = film(visualize(clip.path, tmp_path / "mask.mp4", volume=volume, layers=Layers(box=False, energy=False)))
    for i in (0, 11, 23):
        rows = volume.mask[i].repeat(np.diff(np.round(np.arange(15) * 192 / 14).astype(int)), axis=0)
        hidden = rows.repeat(np.diff(np.round(np.arange(15) * 256 / 14).astype(int)), axis=1)
        change = plain[i].astype(int).sum(axis=-1) - masked[i].astype(int).sum(axis=-1)
        assert change[hidden].mean() > 80
        assert np.abs(change[~hidden]).mean() < 6


def test_arrows_show_the_motion_of_the_codec(tmp_path: Path, clip: Clip) -> None:
    volume = volume_for(clip)
    without = film(visualize(clip.path, tmp_path / "a.mp4", volume=volume, layers=NOTHING))
    arrows = dataclasses.replace(NOTHING, arrows=True)
    drawn = film(visualize(clip.path, tmp_path / "b.mp4", volume=volume, layers=arrows))
    changed = [np.abs(a.astype(int) - b).max(axis=-1) > 80 for a, b in zip(without, drawn, strict=True)]
    assert changed[0].mean() < 0.001  # the key frame has no vectors
    assert np.mean([frame.mean() for frame in changed[1:]]) > 0.01


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    def peak(frames: int) -> int:
        clip = write_clip(tmp_path / f"{frames}.mp4", frames=frames)
        volume = volume_for(clip)
        del clip
        tracemalloc.start()
        visualize(tmp_path / f"{frames}.mp4", tmp_path / "out.mp4", volume=volume)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(160) < peak(20) + 1_000_000  # 140 pictures would be 20 MB


# --- animations ------------------------------------------------------------------------------------------------------


def gif(path: Path) -> tuple[dict[str, Any], list[int], list[Any]]:
    with Image.open(path) as image:
        assert image.format == "GIF"
        info = dict(image.info)
        steps = [(frame.info["duration"], np.asarray(frame.convert("RGB"))) for frame in ImageSequence.Iterator(image)]
    return info, [duration for duration, _ in steps], [picture for _, picture in steps]


def test_an_animation_loops_forever_at_half_the_rate(tmp_path: Path, clip: Clip) -> None:
    info, durations, pictures = gif(visualize(clip.path, tmp_path / "out.gif", volume=volume_for(clip)))
    assert info["loop"] == 0
    assert len(pictures) == 12
    assert set(durations) == {80}
    assert pictures[0].shape == (192, 256, 3)


def test_an_animation_keeps_the_speed_of_the_video(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=30, fps=30)
    _, durations, _ = gif(visualize(clip.path, tmp_path / "out.gif", volume=volume_for(clip), fps=7))
    assert len(durations) == 7
    assert sum(durations) == 1000
    assert all(duration % 10 == 0 for duration in durations)


def test_an_animation_is_at_most_480_pixels_and_600_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=20, height=400, width=600)
    monkeypatch.setattr("mgmtool.drawing.outputs.GIF_FRAMES", 6)
    _, durations, pictures = gif(visualize(clip.path, tmp_path / "out.gif", volume=volume_for(clip)))
    assert pictures[0].shape == (320, 480, 3)
    assert len(pictures) == 6
    assert set(durations) == {80}


def test_the_box_of_an_animation_is_on_the_object(tmp_path: Path, clip: Clip) -> None:
    _, _, pictures = gif(visualize(clip.path, tmp_path / "out.gif", volume=volume_for(clip), layers=BOX_ONLY))
    for k, picture in enumerate(pictures):
        assert np.abs(np.array(box_found(picture)) - clip.boxes[2 * k + 1]).max() <= 3


# --- contact sheets --------------------------------------------------------------------------------------------------


def test_a_sheet_shows_evenly_spaced_frames(tmp_path: Path, clip: Clip) -> None:
    volume = volume_for(clip)
    drawn = sheet(visualize(clip.path, tmp_path / "out.png", volume=volume, layers=BOX_ONLY, frames=4))
    scale = plan_sheet(4, *clip.shape).width / 256
    for k, index in enumerate((3, 9, 15, 21)):
        found = box_found(thumb(drawn, clip, k, 4))
        assert np.abs(np.array(found) - clip.boxes[index] * scale).max() < 8


@pytest.mark.parametrize("shown", ["turned-90", "turned-270", "upside-down"])
def test_a_sheet_of_a_turned_portrait_is_upright(tmp_path: Path, shown: str) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=5, height=256, width=144, shown=shown)
    drawn = sheet(visualize(clip.path, tmp_path / "out.png", volume=volume_for(clip), layers=BOX_ONLY, frames=1))
    shot = thumb(drawn, clip)
    scale = shot.shape[0] / 256
    side = round(MARKER * scale)
    red, blue = shot[8 : side - 8, 8 : side - 8].mean(axis=(0, 1)), shot[8 : side - 8, 8 - side : -8].mean(axis=(0, 1))
    assert red[0] > 170 > 70 > red[2]
    assert blue[2] > 170 > 70 > blue[0]
    assert np.abs(np.array(box_found(shot)) - clip.boxes[2] * scale).max() < 8


def test_a_sheet_has_no_more_pictures_than_the_video_frames(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=3)
    drawn = sheet(visualize(clip.path, tmp_path / "out.png", volume=volume_for(clip), frames=50))
    assert drawn.shape[1] <= 1600
    alone = sheet(visualize(clip.path, tmp_path / "three.png", volume=volume_for(clip), frames=3))
    assert np.array_equal(drawn, alone)


def test_flags_are_marked_on_the_sheet(tmp_path: Path, clip: Clip) -> None:
    volume = volume_for(clip)
    plain = sheet(visualize(clip.path, tmp_path / "a.png", volume=volume, frames=2))
    marked = dataclasses.replace(volume, flags=np.full(24, int(FrameFlag.FALLBACK), np.uint8))
    assert sheet(visualize(clip.path, tmp_path / "b.png", volume=marked, frames=2)).shape[0] > plain.shape[0]


def test_masks_without_energy_or_box_make_a_sheet(tmp_path: Path, clip: Clip) -> None:
    volume, _ = whole_video(VideoRef("clip.mp4", str(clip.path)), ExtractSpec(scheme="tube"))
    assert volume.energy is None
    drawn = sheet(visualize(clip.path, tmp_path / "out.png", volume=volume, frames=1))
    assert (np.abs(drawn.astype(int) - BRIGHT).sum(axis=-1) > 60).all()


# --- what goes wrong -------------------------------------------------------------------------------------------------


def cut(volume: MaskVolume, count: int) -> MaskVolume:
    return MaskVolume(**{name: np.resize(array, (count, *array.shape[1:])) for name, array in volume.arrays().items()})


@pytest.mark.parametrize(("suffix", "count"), list(itertools.product([".mp4", ".gif", ".png"], [1, 20, 30])))
def test_masks_of_another_video_are_an_error_that_shows_both_counts(
    tmp_path: Path, clip: Clip, suffix: str, count: int
) -> None:
    with pytest.raises(UsageError, match=rf"masks cover {count} frames but .*clip\.mp4 has 24"):
        visualize(clip.path, tmp_path / f"out{suffix}", volume=cut(volume_for(clip), count))
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_an_unknown_ending_is_named_with_what_is_expected(tmp_path: Path, clip: Clip) -> None:
    for name, ending in (("out.webm", ".webm"), ("out", ""), ("out.png.txt", ".txt")):
        with pytest.raises(UsageError, match=rf"ends in '{ending}'; expected one of \.mp4, \.gif, \.png"):
            visualize(clip.path, tmp_path / name, volume=volume_for(clip))
    visualize(clip.path, tmp_path / "OUT.PNG", volume=volume_for(clip))


@pytest.mark.parametrize(("option", "value"), [("frames", 0), ("max_side", -1), ("fps", 0.0), ("fps", float("nan"))])
def test_numbers_out_of_range_are_an_error(tmp_path: Path, clip: Clip, option: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{option} is {value}; expected more than 0"):
        visualize(clip.path, tmp_path / "out.png", volume=volume_for(clip), **{option: value})


def test_the_video_itself_is_never_overwritten(tmp_path: Path, clip: Clip) -> None:
    before = clip.path.read_bytes()
    (tmp_path / "link.mp4").symlink_to(clip.path)
    for name in ("clip.mp4", "link.mp4"):
        with pytest.raises(UsageError, match="is the video itself"):
            visualize(clip.path, tmp_path / name, volume=volume_for(clip))
    assert clip.path.read_bytes() == before


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
def test_an_unwritable_target_is_an_output_error(tmp_path: Path, clip: Clip, suffix: str) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*No such file or directory"):
        visualize(clip.path, tmp_path / "missing" / f"out{suffix}", volume=volume_for(clip))


def test_arrows_need_motion_vectors(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "intra.avi"), "w") as container:
        stream: Any = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = 64, 64, "yuvj420p"
        for value in range(6):
            picture = np.full((64, 64, 3), 40 * value, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    zeros = np.zeros(6, np.int64)
    volume = MaskVolume(np.ones((6, 2, 2), np.bool_), np.zeros((6, 4), np.int16), zeros, zeros.astype(np.uint8))
    visualize(tmp_path / "intra.avi", tmp_path / "fine.mp4", volume=volume)
    codec = sources.build("codec")
    with pytest.raises(NoMotionVectorsFailure):
        visualize(tmp_path / "intra.avi", tmp_path / "out.mp4", volume=volume, layers=Layers(arrows=True), motion=codec)
    assert not (tmp_path / "out.mp4").exists()
    visualize(tmp_path / "intra.avi", tmp_path / "out.mp4", volume=volume, layers=Layers(arrows=True))


# --- comparisons -----------------------------------------------------------------------------------------------------


def named(*texts: str, **changed: Any) -> list[Contender]:
    return read_contenders(texts, dataclasses.replace(ExtractSpec(ratio=0.25), **changed))


def ref(clip: Clip) -> VideoRef:
    return VideoRef(clip.path.name, str(clip.path))


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["tube"], ["tube"]),
        (["tube,random", "frame"], ["tube", "random", "frame"]),
        (["tube, random ,tube", "random"], ["tube", "random"]),
        (
            ["motion-guided,motion-guided:pool=4,smoothness=0.01,tube"],
            ["motion-guided", "motion-guided:pool=4,smoothness=0.01", "tube"],
        ),
        (["boxes:tracks_file={folder}/{stem}.txt,tube"], ["boxes:tracks_file={folder}/{stem}.txt", "tube"]),
    ],
)
def test_schemes_are_named_with_commas_and_options(texts: list[str], labels: list[str]) -> None:
    assert [contender.label for contender in named(*texts)] == labels


def test_options_of_a_contender_have_their_types_and_the_rest_is_shared() -> None:
    (first, second) = named("motion-guided:pool=4,picture-check=no,tube", seed=7)
    assert first.spec.scheme_options == {"pool": 4, "picture_check": False}
    assert second.spec == ExtractSpec(scheme="tube", ratio=0.25, seed=7)


def test_all_is_every_scheme_that_needs_no_tracks() -> None:
    assert [contender.label for contender in named("all")] == [name for name in masking.names() if name != "boxes"]
    assert [contender.label for contender in named("tube,all,boxes:tracks_file=t.txt")][::15] == [
        "tube",
        "boxes:tracks_file=t.txt",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tub", "did you mean 'tube'"),
        ("", "unknown scheme ''"),
        ("tube,", "unknown scheme ''"),
        ("pool=4", "unknown scheme 'pool=4'"),
        ("tube,pool=4", "unknown scheme 'tube,pool=4'"),
        ("tube:pool=4", "tube has no option 'pool'"),
        ("cube:min_tokens", r"scheme 'cube:min_tokens' has 'min_tokens'; expected NAME or NAME:KEY=VALUE"),
        ("cube:min_tokens=0", "min_tokens is 0; expected 1 to 65536"),
    ],
)
def test_what_cannot_be_compared_is_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        named(text)


def strip_pictures(picture: Any, clip: Clip, strips: int, columns: int) -> list[list[Any]]:
    """Cut the pictures of a comparison out of its sheet: they are the only rows and columns with no paper in them."""
    plan = plan_strips(columns, *clip.shape)
    paper = (picture == picture[0, 0]).all(axis=-1)
    inside = ~paper[:, 12 : 12 + plan.width].any(axis=1)
    tops = [row for row in range(1, len(inside)) if inside[row] and not inside[row - 1]]
    assert len(tops) == strips
    lefts = [12 + column * (plan.width + 12) for column in range(columns)]
    return [[picture[top : top + plan.height, left : left + plan.width] for left in lefts] for top in tops]


def test_a_comparison_shows_the_masks_of_every_scheme_on_the_same_frames(tmp_path: Path, clip: Clip) -> None:
    compared, target = named("tube,centre-box,random-frame"), tmp_path / "out.png"
    layers = Layers(box=False, dark=True)
    strips = strip_pictures(sheet(compare(ref(clip), target, compared, frames=3, layers=layers)), clip, 3, 3)
    (plain,) = strip_pictures(sheet(compare(ref(clip), target, compared[:1], frames=3, layers=NOTHING)), clip, 1, 3)
    for contender, pictures in zip(compared, strips, strict=True):
        volume, _ = whole_video(ref(clip), contender.spec)
        for index, picture, bare in zip((4, 12, 20), pictures, plain, strict=True):
            changed = (picture != bare).any(axis=-1)
            share = np.array([[patch.mean() for patch in patches(row, 1)] for row in patches(changed, 0)])
            assert ((share > 0.5) == volume.mask[index]).all()


def patches(values: Any, axis: int) -> list[Any]:
    return np.array_split(values, 14, axis=axis)


def test_a_film_of_a_comparison_has_every_frame_and_a_panel_for_each_scheme(tmp_path: Path, clip: Clip) -> None:
    written = compare(ref(clip), tmp_path / "out.mp4", named("centre-box,fixed-box"), layers=BOX_ONLY)
    pictures = film(written)
    assert len(pictures) == 24
    panels = Panels.of(["a", "b"], 192, 256, None, 1920)
    assert pictures[0].shape[:2] == tuple(n + n % 2 for n in panels.empty.shape[:2])
    boxes = [whole_video(ref(clip), contender.spec)[0].box[9] for contender in named("centre-box,fixed-box")]
    for (top, left), box in zip(panels.corners, boxes, strict=True):
        found = box_found(pictures[9][top : top + 192, left : left + 256])
        assert np.abs(np.subtract(found, box)).max() <= 3


def test_an_animation_of_a_comparison_keeps_half_of_the_frames(tmp_path: Path, clip: Clip) -> None:
    info, durations, pictures = gif(compare(ref(clip), tmp_path / "out.gif", named("tube,frame"), max_side=64))
    assert info["loop"] == 0
    assert set(durations) == {80}
    assert len(pictures) == 12
    assert pictures[0].shape[1] in {6 + 70, 6 + 2 * 70}


def test_a_video_is_decoded_once_for_each_scheme_and_once_for_its_pictures(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []

    def counted(video: VideoRef, spec: ExtractSpec | Recipe) -> Any:
        decoded.append(Recipe.of(spec).spec.scheme)
        return whole_video(video, spec)

    def counted_pictures(*arguments: Any) -> Any:
        decoded.append("pictures")
        return read_pictures(*arguments)

    monkeypatch.setattr("mgmtool.drawing.contenders.whole_video", counted)
    monkeypatch.setattr("mgmtool.drawing.footage.read_pictures", counted_pictures)
    compare(ref(clip), tmp_path / "out.png", named("frame,random,motion-guided,cube"))
    assert decoded == ["random", "motion-guided", "pictures"]
    decoded.clear()
    compare(ref(clip), tmp_path / "out.gif", named("frame,cube"))
    assert decoded == ["tube", "pictures"]


def test_pictures_of_a_comparison_are_not_held(tmp_path: Path) -> None:
    def peak(frames: int) -> int:
        clip = write_clip(tmp_path / f"{frames}.mp4", frames=frames)
        video = ref(clip)
        del clip
        tracemalloc.start()
        compare(video, tmp_path / "out.mp4", named("motion-guided,tube,frame"))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    # A kilobyte or two a frame: masks and energy, and what places them. A picture of three panels has 450.
    assert peak(100) < peak(20) + 80 * 8_000


@pytest.mark.parametrize(("shown", "frames", "tubelet"), [(range(24), 16, 2), ([1, 5, 9, 20], 4, 1), (range(5), 16, 2)])
def test_schemes_for_clips_only_hide_in_the_shown_frames(clip: Clip, shown: Any, frames: int, tubelet: int) -> None:
    (contender,) = named("frame", ratio=0.5)
    like = times_of(ref(clip), contender.spec)
    masks = clip_masks(ref(clip), contender, like, shown, frames, tubelet)
    assert len(masks) == 24
    assert not masks.mask[[i for i in range(24) if i not in shown]].any()
    for start in range(0, len(shown), frames):
        run = list(shown[start : start + frames])
        tubelets = [masks.mask[run[k]] for k in range(0, len(run), tubelet)]
        assert sum(int(mask.sum()) for mask in tubelets) == 98 * len(tubelets)
        assert all((masks.mask[run[k]] == masks.mask[run[k - k % tubelet]]).all() for k in range(len(run)))
        assert {int(mask.sum()) for mask in tubelets} <= {0, 98, 196}


def test_the_id_decides_what_is_random_in_a_comparison(tmp_path: Path, clip: Clip) -> None:
    drawn = [
        sheet(compare(VideoRef(name, str(clip.path)), tmp_path / "out.png", named("tube,frame"), frames=4))
        for name in ("a", "b", "a")
    ]
    assert np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], drawn[1])


def test_nothing_to_compare_is_an_error(tmp_path: Path, clip: Clip) -> None:
    with pytest.raises(UsageError, match="no scheme to compare"):
        compare(ref(clip), tmp_path / "out.png", [])
    with pytest.raises(UsageError, match="frames is 0; expected more than 0"):
        compare(ref(clip), tmp_path / "out.png", named("tube"), frames=0)


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _compiled() -> None:
    """Compile first, so that no run says on stderr that it does."""
    for scheme in ("motion-guided", "tube", "random"):
        warm_up(ExtractSpec(scheme=scheme))


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> calling.Ended:
    return calling.run(capsys, "visualize", *arguments)


@pytest.mark.usefixtures("_compiled")
def test_the_command_prints_the_path_it_wrote(tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.png"
    assert run(capsys, clip.path, "-o", target, "--ratio", "0.25", "--frames", "3", "--arrows") == (
        0,
        f"{target}\n",
        "",
    )
    assert sheet(target).shape[1] <= 1600


def test_the_command_draws_what_a_store_holds(tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "masks.zarr"
    assert all(outcome.done for outcome in extract([clip.path], store, ExtractSpec(ratio=0.25), engine="inline"))
    stored, computed = tmp_path / "stored.png", tmp_path / "computed.png"
    assert run(capsys, clip.path, "--store", store, "-o", stored)[0] == 0
    assert run(capsys, clip.path, "--ratio", "0.25", "-o", computed)[0] == 0
    assert np.array_equal(sheet(stored), sheet(computed))
    assert run(capsys, clip.path, "--store", store, "--id", "clip.mp4", "-o", stored, "--overwrite")[0] == 0


def test_layers_are_switched_by_flags(tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    seen = []
    for flag in ("--no-mask", "--no-box", "--no-energy", "--arrows", "--mask"):
        assert run(capsys, clip.path, "-o", tmp_path / "out.png", "--frames", "2", "--overwrite", flag)[0] == 0
        seen.append(sheet(tmp_path / "out.png"))
    assert all((a != b).any() for a, b in itertools.combinations(seen, 2))


def test_options_that_would_have_no_effect_are_refused(
    tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(
        capsys, clip.path, "--store", tmp_path / "s", "-o", tmp_path / "a.png", "--seed", 1, "--scheme", "tube"
    )
    assert (code, out) == (2, "")
    assert "--seed, --scheme given with --store" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-o", "out.tiff"], 2, "ends in '.tiff'"),
        (["-o", "missing/out.png"], 1, "cannot write missing/out.png: No such file or directory"),
        (["-o", "out.png", "--store", "none.zarr"], 1, "no mask store at none.zarr"),
        (["-o", "out.png", "--scheme", "tub"], 2, "did you mean 'tube'"),
        ([], 2, "Missing option '-o'"),
    ],
)
def test_errors_of_the_command_are_one_line(
    tmp_path: Path,
    clip: Clip,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    ended, out, err = run(capsys, clip.path, *arguments)
    assert (ended, out) == (code, "")
    assert message in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_store_that_lacks_the_video_says_so(tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    other = write_clip(tmp_path / "other.mp4", frames=4)
    list(extract([other.path], tmp_path / "s.zarr", ExtractSpec(), engine="inline"))
    code, _, err = run(capsys, clip.path, "--store", tmp_path / "s.zarr", "-o", tmp_path / "out.png")
    assert code == 1
    assert "clip.mp4" in err


@pytest.mark.usefixtures("_compiled")
def test_the_command_compares(tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.png"
    code, out, err = run(capsys, clip.path, "--compare", "tube,cube", "--compare", "random", "--seed", 3, "-o", target)
    assert (code, out, err) == (0, f"{target}\n", "")
    strip_pictures(sheet(target), clip, strips=3, columns=6)
    assert run(capsys, clip.path, "--compare", "tube", "--frames", 9, "-o", target, "--overwrite")[0] == 0
    assert sheet(target).shape[1] > 1500  # eight in a row


def test_the_command_compares_all(tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, clip.path, "--compare", "all", "--frames", 4, "-o", tmp_path / "out.png")[0] == 0
    strip_pictures(sheet(tmp_path / "out.png"), clip, strips=len(masking.names()) - 1, columns=4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--store", "s.zarr"], "--compare given with --store"),
        (["--scheme", "tube"], "--scheme given with --compare"),
        (["--scheme-option", "pool=4"], "--scheme-option given with --compare"),
        (["--compare", "tub"], "did you mean 'tube'"),
        (["--compare", "multi-block:exact_count=no"], "it is for clips"),
    ],
)
def test_what_a_comparison_cannot_use_is_refused(
    tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code, out, err = run(capsys, clip.path, "--compare", "tube", "-o", tmp_path / "out.png", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "out.png").exists()


def test_boxes_without_a_file_of_tracks_say_which_is_missing(
    tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, clip.path, "--compare", "tube,boxes", "-o", tmp_path / "out.png")
    assert code == 1
    assert "clip.txt" in err


# --- real videos -----------------------------------------------------------------------------------------------------


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["rotated/PHP-FFMpeg/portrait.MOV", "action/decord/flipping_a_pancake.mkv"])
@pytest.mark.parametrize("suffix", [".mp4", ".png", ".gif"])
def test_real_videos_are_drawn(tmp_path: Path, corpus: Path, name: str, suffix: str) -> None:
    path = corpus / "clips" / name
    volume, facts = whole_video(VideoRef(path.name, str(path)), ExtractSpec(ratio=0.25))
    written = visualize(path, tmp_path / f"out{suffix}", volume=volume, layers=Layers(arrows=True), max_side=200)
    if suffix == ".mp4":
        pictures = film(written)
        assert len(pictures) == len(volume)
        height, width = pictures[0].shape[:2]
        assert (height > width) == (facts.info.height > facts.info.width)


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name", ["bitflips_mdat_1e-4.mp4", "bitflips_1e-4.avi", "truncated_50pct_moov_kept.mp4", "truncated_50pct.avi"]
)
def test_damaged_videos_are_drawn_with_as_many_frames_as_they_have_masks(
    tmp_path: Path, corpus: Path, name: str
) -> None:
    path = corpus / "hostile" / name
    volume, _ = whole_video(VideoRef(path.name, str(path)), ExtractSpec())
    assert len(film(visualize(path, tmp_path / "out.mp4", volume=volume, max_side=100))) == len(volume)
