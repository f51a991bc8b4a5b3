"""Row i is the i-th frame shown, at the time the file says, whatever container, codec, timing and damage lie between.

Every picture of these films carries its number, so that a frame too many, too few or in the wrong place is seen as such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mgmtool import sources
from mgmtool.extraction import extract
from mgmtool.store import Store
from mgmtool.types import ExtractSpec, FrameFlag, FrameMotion, MaskVolume, PatchGrid, VideoFacts
from mgmtool.video.container import open_video
from mgmtool.video.counts import FrameCounts
from mgmtool.video.decoding import numbered_frames
from mgmtool.video.pictures import read_pictures
from mgmtool.video.reader import read_video
from support.films import (
    FRAME,
    field_coded,
    number_of,
    numbered,
    pack_b_frames,
    set_edits,
    write,
    write_two,
    write_with_cover,
)
from support.moving import MATRICES, ref, turn
from support.synthetic import coded

Array = NDArray[Any]

FRAMES = 20
GRID = PatchGrid(6, 8)
SPEC = ExtractSpec(source="codec", grid=GRID, ratio=0.75, energy_grid=PatchGrid(6, 8))
TUBE = ExtractSpec(source="codec", grid=GRID, ratio=0.75, scheme="tube")


class Film(NamedTuple):
    """What extraction made of a film, and what was read of it in other ways."""

    volume: MaskVolume
    facts: VideoFacts
    motion: list[FrameMotion]
    numbers: list[int]

    @property
    def has_vectors(self) -> list[bool]:
        return [bool(flag & FrameFlag.HAS_VECTORS) for flag in self.volume.flags.tolist()]


def extracted(path: Path, spec: ExtractSpec = SPEC) -> Film:
    """Extract a film, and check all that holds for any film."""
    store = path.with_name(path.name + ".zarr")
    (outcome,) = extract([str(path)], store, spec, "inline")
    assert outcome.facts is not None, f"{outcome.failure}: {outcome.message}"
    volume = Store.open(store).volume(path.name)
    with sources.build("codec").open(ref(path), motion=spec is SPEC, luma=True) as stream:
        motion = list(stream.frames)
    pictures = list(read_pictures(str(path)))
    counted = one_by_one(path)

    assert outcome.facts.num_frames == len(volume) == len(motion) == len(pictures) == len(counted)
    assert (outcome.facts.corrupt_frames, outcome.facts.lost_packets) == (0, 0)
    assert [frame.index for frame in motion] == [picture.index for picture in pictures] == list(range(len(volume)))
    assert volume.pts.tolist() == [frame.pts for frame in motion]
    assert (np.diff(volume.pts) > 0).all()
    unit = outcome.facts.info.time_base
    assert [picture.pts_seconds for picture in pictures] == [float(pts * unit) for pts in volume.pts.tolist()]
    assert volume.mask.shape == (len(volume), GRID.rows, GRID.cols)
    assert (volume.mask.sum(axis=(1, 2)) == round(0.75 * GRID.rows * GRID.cols)).all()
    assert volume.flags.tolist()[0] & FrameFlag.KEY_FRAME or "edit_list" in outcome.facts.index_risk
    assert not (volume.flags & FrameFlag.CORRUPT).any()
    assert_boxes_lie_in_the_picture(volume, outcome.facts)
    numbers = [number_of(picture.rgb) for picture in pictures]
    assert [number_of(np.repeat(np.repeat(light(frame), 8, 0), 8, 1)) for frame in motion] == numbers
    return Film(volume, outcome.facts, motion, numbers)


def one_by_one(path: Path) -> list[av.VideoFrame]:
    """Decode with one thread and no option, by PyAV alone."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams.video if not int(s.disposition) & 1024)
        stream.codec_context.thread_type, stream.codec_context.thread_count = "NONE", 1
        return list(container.decode(stream))


def light(frame: FrameMotion) -> Array:
    assert frame.luma is not None
    assert frame.cell == 16
    return frame.luma


def assert_boxes_lie_in_the_picture(volume: MaskVolume, facts: VideoFacts) -> None:
    y0, x0, y1, x1 = volume.box.T
    if volume.box.any():
        assert ((y0 >= 0) & (y0 < y1) & (y1 <= facts.info.height)).all()
        assert ((x0 >= 0) & (x0 < x1) & (x1 <= facts.info.width)).all()


def times_of(film: Film) -> list[Fraction]:
    return [pts * film.facts.info.time_base for pts in film.volume.pts.tolist()]


@pytest.fixture(scope="module")
def pictures() -> list[Array]:
    return numbered(FRAMES)


# Order and count.


@pytest.mark.parametrize(
    ("ending", "codec", "options"),
    [
        pytest.param("mp4", "libx264", {}, id="plain"),
        pytest.param(
            "mp4", "libx264", {"bf": "3", "refs": "4", "x264-params": "b-pyramid=normal:b-adapt=0"}, id="pyramid"
        ),
        pytest.param("mp4", "libx264", {"bf": "2", "g": "8", "x264-params": "open-gop=1:b-adapt=0"}, id="open-gop"),
        pytest.param("mp4", "libx264", {"g": "1"}, id="key-frames"),
        pytest.param("mp4", "libx264", {"x264-params": "slices=4"}, id="slices"),
        pytest.param("mp4", "libx264", {"x264-params": "intra-refresh=1:keyint=8"}, id="intra-refresh"),
        pytest.param("mkv", "libx264", {"bf": "2"}, id="mkv"),
        pytest.param("ts", "libx264", {"bf": "2"}, id="ts"),
        pytest.param("flv", "libx264", {"bf": "2"}, id="flv"),
        pytest.param("mp4", "mpeg4", {"bf": "2"}, id="mpeg4"),
        pytest.param("avi", "mpeg4", {}, id="mpeg4-avi"),
        pytest.param("mpg", "mpeg2video", {"bf": "2", "b": "4000000"}, id="mpeg2"),
        pytest.param("mpg", "mpeg1video", {"bf": "2", "b": "4000000"}, id="mpeg1"),
        pytest.param("flv", "flv", {}, id="sorenson"),
        pytest.param("wmv", "wmv2", {}, id="wmv2"),
    ],
)
def test_frames_come_in_the_order_they_are_shown(
    ending: str, codec: str, options: dict[str, str], pictures: list[Array], tmp_path: Path
) -> None:
    path = write(tmp_path / f"film.{ending}", pictures, codec, **options)
    film = extracted(path, TUBE if options == {"g": "1"} else SPEC)
    assert film.numbers == list(range(FRAMES))
    distances = np.diff([float(time) for time in times_of(film)])
    np.testing.assert_allclose(distances, 0.04, atol=0.0011)
    assert not {"edit_list", "variable_rate", "lost_packets", "header_count"} & set(film.facts.index_risk)


def test_film_of_one_frame(pictures: list[Array], tmp_path: Path) -> None:
    film = extracted(write(tmp_path / "film.mp4", pictures[5:6]))
    assert film.numbers == [5]
    assert film.has_vectors == [False]


def test_open_gop_that_lost_its_start_keeps_what_can_be_decoded(pictures: list[Array], tmp_path: Path) -> None:
    path = write(tmp_path / "whole.h264", pictures, bf="2", g="8", **{"x264-params": "open-gop=1:b-adapt=0:aud=1"})
    with av.open(str(path)) as container:
        packets = [(bytes(packet), packet.is_keyframe) for packet in container.demux(video=0) if packet.size]
    second = [number for number, (_, key) in enumerate(packets) if key][1]
    cut = tmp_path / "cut.h264"
    cut.write_bytes(b"".join(data for data, _ in packets[second:]))
    (outcome,) = extract([str(cut)], tmp_path / "m.zarr", SPEC, "inline")
    assert outcome.facts is not None
    shown = [picture.index for picture in read_pictures(str(cut))]
    assert outcome.facts.num_frames == len(shown) == len(one_by_one(cut))
    assert len(Store.open(tmp_path / "m.zarr").volume("cut.h264")) == len(shown)
    assert FRAMES - 10 <= len(shown) <= FRAMES - 6


def test_b_frames_in_avi_are_at_ascending_times(pictures: list[Array], tmp_path: Path) -> None:
    film = extracted(write(tmp_path / "film.avi", pictures, "mpeg4", bf="2"))
    assert film.numbers == list(range(FRAMES))
    assert "avi_b_frames" in film.facts.index_risk
    assert "variable_rate" not in film.facts.index_risk


def test_packed_b_frames_are_counted_one_by_one(pictures: list[Array], tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.avi", pictures, "mpeg4", bf="1", b="4000000")
    film = extracted(pack_b_frames(plain, tmp_path / "film.avi"))
    assert film.numbers == list(range(FRAMES))
    assert "packed_b_frames" in film.facts.index_risk
    assert "variable_rate" not in film.facts.index_risk


def test_h264_with_b_frames_in_avi_is_at_ascending_times(pictures: list[Array], tmp_path: Path) -> None:
    film = extracted(write(tmp_path / "film.avi", pictures, bf="3", refs="4", **{"x264-params": "b-adapt=0"}))
    assert film.numbers == list(range(FRAMES))
    assert "variable_rate" not in film.facts.index_risk


# Interlaced film.


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize("bf", ["0", "2"])
def test_interlaced_frames_are_one_row_each(order: str, bf: str, pictures: list[Array], tmp_path: Path) -> None:
    options = {"flags": "+ildct+ilme", "bf": bf, "x264-params": f"{order}=1:interlaced=1"}
    path = write(tmp_path / "film.mp4", pictures, **options)
    assert all(frame.interlaced_frame for frame in one_by_one(path))
    film = extracted(path)
    assert film.numbers == list(range(FRAMES))
    assert sum(film.has_vectors) > FRAMES // 2


def test_interlaced_mpeg2_frames_are_one_row_each(pictures: list[Array], tmp_path: Path) -> None:
    path = write(tmp_path / "film.mpg", pictures, "mpeg2video", flags="+ildct+ilme", b="4000000", bf="2")
    assert all(frame.interlaced_frame for frame in one_by_one(path))
    assert extracted(path).numbers == list(range(FRAMES))


def test_two_field_pictures_are_one_row(tmp_path: Path) -> None:
    path = tmp_path / "film.m2v"
    path.write_bytes(field_coded(FRAMES))
    assert path.read_bytes().count(b"\0\0\1\0") == 2 * FRAMES
    film = extracted(path)
    assert film.numbers == list(range(FRAMES))
    assert film.facts.num_frames == FRAMES
    assert film.has_vectors == [True] * (FRAMES - 1) + [False]  # FFmpeg exports none for the last frame of MPEG-2
    for frame in film.motion:
        assert frame.displacement is not None
        assert not frame.displacement.any()


# Edit lists: 40 ms a frame; 512 units of media time a frame, of which the first two are the delay of B-frames.


@pytest.mark.parametrize(
    ("edits", "shown", "start"),
    [
        pytest.param([(800, 0)], range(FRAMES), 0, id="all"),
        pytest.param([(600, 5)], range(5, FRAMES), 0, id="starts-late"),
        pytest.param([(400, 0)], range(10), 0, id="ends-early"),
        pytest.param([(400, 5)], range(5, 15), 0, id="cut-at-both-ends"),
        pytest.param([(400, 12)], range(12, 20), 0, id="starts-behind-a-key-frame"),
        pytest.param([(1000, None), (800, 0)], range(FRAMES), 1, id="nothing-first"),
        pytest.param([(1000, None), (400, 5)], range(5, 15), 1, id="nothing-first-then-cut"),
        pytest.param([(200, 0), (200, 10)], [*range(5), *range(10, 15)], 0, id="middle-left-out"),
        pytest.param([(200, 10), (200, 0)], [*range(10, 15), *range(5)], 0, id="turned-round"),
        pytest.param([(200, 0), (200, 0)], [*range(5), *range(5)], 0, id="twice"),
    ],
)
def test_edits_decide_which_frames_there_are(
    edits: list[tuple[int, int | None]], shown: Sequence[int], start: int, pictures: list[Array], tmp_path: Path
) -> None:
    path = write(tmp_path / "film.mp4", pictures, bf="2", g="10")
    listed = [(duration, -1 if first is None else 1024 + 512 * first) for duration, first in edits]
    film = extracted(set_edits(path, listed))
    assert film.numbers == list(shown)
    assert film.facts.info.time_base == Fraction(1, 12_800)
    assert film.volume.pts.tolist() == [512 * (25 * start + i) for i in range(len(shown))]
    assert ("edit_list" in film.facts.index_risk) == (len(film.numbers) < FRAMES)


def test_edit_between_two_frames_drops_the_one_that_began_before(pictures: list[Array], tmp_path: Path) -> None:
    film = extracted(set_edits(write(tmp_path / "film.mp4", pictures, bf="2", g="10"), [(400, 1024 + 5 * 512 + 256)]))
    assert film.numbers == [*range(6, 16)]


# Time.

UNEVEN = [0, 1, 5, 6, 7, 20, 21, 22, 23, 30, 31, 32, 33, 40, 41, 42, 50, 60, 61, 99]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("bf", ["0", "2"])
def test_uneven_times_are_stored_as_they_are(ending: str, bf: str, pictures: list[Array], tmp_path: Path) -> None:
    film = extracted(write(tmp_path / f"film.{ending}", pictures, times=UNEVEN, unit=Fraction(1, 100), bf=bf))
    assert film.numbers == list(range(FRAMES))
    times = times_of(film)
    np.testing.assert_allclose([float(time - times[0]) for time in times], np.divide(UNEVEN, 100), atol=1e-3)
    assert "variable_rate" in film.facts.index_risk


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_late_starts_are_stored_as_they_are(ending: str, pictures: list[Array], tmp_path: Path) -> None:
    film = extracted(write(tmp_path / f"film.{ending}", pictures, times=range(100, 100 + FRAMES)))
    assert times_of(film) == [number * FRAME for number in range(100, 100 + FRAMES)]


def test_negative_starts_are_stored_as_they_are(pictures: list[Array], tmp_path: Path) -> None:
    stay = {"avoid_negative_ts": "disabled"}
    film = extracted(write(tmp_path / "film.ts", pictures, times=range(-100, FRAMES - 100), wrapping=stay))
    assert film.numbers == list(range(FRAMES))
    assert times_of(film) == [number * FRAME for number in range(-100, FRAMES - 100)]


def test_clock_that_runs_over_goes_on(pictures: list[Array], tmp_path: Path) -> None:
    """A transport stream counts to 2^33."""
    first = (1 << 33) // 3600 - 10
    film = extracted(write(tmp_path / "film.ts", pictures, times=range(first, first + FRAMES)))
    assert film.numbers == list(range(FRAMES))
    assert np.diff(film.volume.pts).tolist() == [3600] * (FRAMES - 1)
    assert film.volume.pts[0] < 0 < film.volume.pts[-1]


def test_fine_time_base_is_stored(pictures: list[Array], tmp_path: Path) -> None:
    rate = Fraction(1001, 60_000)
    film = extracted(write(tmp_path / "film.mp4", pictures, times=range(FRAMES), unit=rate))
    assert times_of(film) == [number * rate for number in range(FRAMES)]


def test_rate_is_a_fraction_and_none_where_the_file_has_none(pictures: list[Array], tmp_path: Path) -> None:
    for path, rate in (
        (write(tmp_path / "film.mp4", pictures), Fraction(25)),
        (write(tmp_path / "one.ts", pictures[:1]), None),  # one frame, and nothing else that tells
    ):
        with read_video(str(path)) as film:
            assert film.info.fps == rate
            assert type(film.info.fps) is type(rate)
            assert {type(film.info.time_base), type(film.info.pixel_aspect)} == {Fraction}


# Streams that do not say how long they are.


@pytest.mark.parametrize("bf", ["0", "2"])
def test_raw_stream_without_times_is_numbered(bf: str, pictures: list[Array], tmp_path: Path) -> None:
    film = extracted(write(tmp_path / "film.h264", pictures, bf=bf))
    assert film.numbers == film.volume.pts.tolist() == list(range(FRAMES))
    assert film.facts.info.header_frames == 0


@pytest.mark.parametrize("ending", ["m4v", "m2v"])
def test_raw_mpeg_stream_is_read(ending: str, pictures: list[Array], tmp_path: Path) -> None:
    codec, container = {"m4v": ("mpeg4", "m4v"), "m2v": ("mpeg2video", "mpeg2video")}[ending]
    film = extracted(write(tmp_path / f"film.{ending}", pictures, codec, container=container, b="4000000"))
    assert film.numbers == list(range(FRAMES))


def test_live_matroska_has_no_duration_and_every_frame(pictures: list[Array], tmp_path: Path) -> None:
    path = write(tmp_path / "film.mkv", pictures, bf="2", wrapping={"live": "1"})
    with av.open(str(path)) as container:
        assert container.duration is None
    assert extracted(path).numbers == list(range(FRAMES))


def test_matroska_without_times_is_numbered(pictures: list[Array], tmp_path: Path) -> None:
    """Times below zero cannot be stored in Matroska: FFmpeg writes them, and does not read them."""
    stay = {"avoid_negative_ts": "disabled"}
    film = extracted(write(tmp_path / "film.mkv", pictures, times=range(-100, FRAMES - 100), wrapping=stay))
    assert film.numbers == film.volume.pts.tolist() == list(range(FRAMES))


def test_fragmented_mp4_has_every_frame(pictures: list[Array], tmp_path: Path) -> None:
    fragments = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    film = extracted(write(tmp_path / "film.mp4", pictures, bf="2", g="5", wrapping=fragments))
    assert film.numbers == list(range(FRAMES))


# What a file holds besides, and what it calls itself.


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_first_of_several_films_is_taken(ending: str, pictures: list[Array], tmp_path: Path) -> None:
    film = extracted(write_two(tmp_path / f"film.{ending}", pictures[:12], numbered(FRAMES, 64, 96)))
    assert film.numbers == list(range(12))
    assert (film.facts.info.height, film.facts.info.width) == pictures[0].shape


def test_cover_picture_is_no_frame(pictures: list[Array], tmp_path: Path) -> None:
    path = write_with_cover(tmp_path / "film.mp4", pictures, pictures[3][:64, :96].copy())
    with av.open(str(path)) as container:
        assert sorted(stream.type for stream in container.streams) == ["audio", "video", "video"]
    film = extracted(path)
    assert film.numbers == list(range(FRAMES))
    assert (film.facts.info.height, film.facts.info.width) == pictures[0].shape


def test_cover_picture_alone_is_no_video(pictures: list[Array], tmp_path: Path) -> None:
    path = write_with_cover(tmp_path / "film.mp4", [], pictures[3])
    (outcome,) = extract([str(path)], tmp_path / "m.zarr", SPEC, "inline")
    assert outcome.failure == "no_video_stream"


class Stumbling:
    """PyAV, in whose list a stream that appears late is missing when the decoders are emptied."""

    def __init__(self, container: Any) -> None:
        self._container, self.format, self.name = container, container.format, container.name

    def demux(self, stream: Any) -> Any:
        yield from self._container.demux(stream)
        raise IndexError("list index out of range")


def test_stream_that_appears_late_costs_no_frame(pictures: list[Array], tmp_path: Path) -> None:
    path = write(tmp_path / "film.ts", pictures, bf="2")
    counts = FrameCounts()
    with open_video(str(path)) as (opened, stream):
        container: Any = Stumbling(opened)
        frames = [frame.to_ndarray(format="gray") for _, frame in numbered_frames(container, stream, counts, {})]
    assert [number_of(frame) for frame in frames] == list(range(FRAMES))
    assert (counts.frames, counts.lost_packets) == (FRAMES, 0)


@pytest.mark.parametrize(
    ("container", "ending"), [("matroska", "mp4"), ("webm", "avi"), ("mpegts", "mp4"), ("mp4", "mkv"), ("avi", "webm")]
)
def test_content_decides_not_the_ending(container: str, ending: str, pictures: list[Array], tmp_path: Path) -> None:
    codec, spec = ("libvpx", TUBE) if container == "webm" else ("libx264", SPEC)
    options = {"b": "2000000", "deadline": "realtime", "cpu-used": "8"} if container == "webm" else {}
    path = tmp_path / f"film.{ending}"
    film = extracted(write(path, pictures, codec, container=container, **options), spec)
    assert film.numbers == list(range(FRAMES))
    named = {"matroska": "matroska", "webm": "webm", "mpegts": "mpegts", "mp4": "mp4", "avi": "avi"}[container]
    assert named in film.facts.info.container


# Pictures of every kind.


@pytest.mark.parametrize("shown", MATRICES)
@pytest.mark.parametrize("bf", ["0", "2"])
def test_turned_and_mirrored_films_are_stored_as_shown(shown: str, bf: str, tmp_path: Path) -> None:
    upright = numbered(FRAMES, 128, 160)
    turned = [coded(picture[..., None], MATRICES[shown])[..., 0] for picture in upright]
    film = extracted(turn(write(tmp_path / "film.mp4", turned, bf=bf), MATRICES[shown]))
    assert film.numbers == list(range(FRAMES))
    assert (film.facts.info.height, film.facts.info.width) == (128, 160)


@pytest.mark.parametrize(
    "pixels",
    ["yuvj420p", "yuv422p", "yuv444p", "nv12", "gray", "yuv420p10le", "yuv422p10le", "yuv444p10le", "gray10le"],
)
def test_pixel_formats_of_h264(pixels: str, pictures: list[Array], tmp_path: Path) -> None:
    film = extracted(write(tmp_path / "film.mp4", pictures, pixels=pixels, bf="2"))
    assert film.numbers == list(range(FRAMES))
    assert sum(film.has_vectors) > FRAMES // 2


@pytest.mark.parametrize(
    "pixels",
    ["gray", "gray10le", "gray16le", "yuv410p", "yuv411p", "yuv440p", "yuva420p", "yuv420p16le", "bgr0", "rgb48le"],
)
def test_pixel_formats_without_vectors(pixels: str, pictures: list[Array], tmp_path: Path) -> None:
    film = extracted(write(tmp_path / "film.mkv", pictures, "ffv1", pixels=pixels), TUBE)
    assert film.numbers == list(range(FRAMES))


def test_palette_is_read(pictures: list[Array], tmp_path: Path) -> None:
    path = write(tmp_path / "film.gif", pictures, "gif", pixels="gray")
    assert extracted(path, TUBE).numbers == list(range(FRAMES))


@pytest.mark.parametrize(
    ("ending", "codec", "pixels"),
    [
        pytest.param("mp4", "libx264", "yuv444p", id="h264"),
        pytest.param("avi", "mpeg4", "yuv420p", id="mpeg4"),
        pytest.param("mpg", "mpeg2video", "yuv420p", id="mpeg2"),
    ],
)
@pytest.mark.parametrize("size", [(95, 127), (97, 129), (81, 98)], ids=str)
def test_odd_sizes(size: tuple[int, int], ending: str, codec: str, pixels: str, tmp_path: Path) -> None:
    options = {} if codec == "libx264" else {"b": "4000000"}
    film = extracted(write(tmp_path / f"film.{ending}", numbered(FRAMES, *size), codec, pixels=pixels, **options))
    assert film.numbers == list(range(FRAMES))
    assert (film.facts.info.height, film.facts.info.width) == size


# A picture that changes its size on the way.


def raw(path: Path, sizes: Sequence[tuple[int, int]]) -> list[int]:
    """H.264 films of several sizes one after the other; returns the numbers of their pictures."""
    parts = [write(path.with_name(f"{i}.h264"), numbered(8, *size)).read_bytes() for i, size in enumerate(sizes)]
    path.write_bytes(b"".join(parts))
    return [*range(8)] * len(sizes)


def transport(path: Path, sizes: Sequence[tuple[int, int]]) -> list[int]:
    """The same in transport streams, whose times go on."""
    parts = [
        write(path.with_name(f"{i}.ts"), numbered(8, *size), times=range(8 * i, 8 * i + 8)).read_bytes()
        for i, size in enumerate(sizes)
    ]
    path.write_bytes(b"".join(parts))
    return [*range(8)] * len(sizes)


@pytest.mark.parametrize(("ending", "joined"), [("h264", raw), ("ts", transport)])
@pytest.mark.parametrize(
    "sizes", [((96, 128), (64, 160)), ((64, 96), (160, 192), (64, 96)), ((96, 128), (128, 96))], ids=str
)
def test_size_that_changes_keeps_one_row_a_frame(
    sizes: Sequence[tuple[int, int]], ending: str, joined: Callable[..., list[int]], tmp_path: Path
) -> None:
    path = tmp_path / f"film.{ending}"
    numbers = joined(path, sizes)
    film = extracted(path)
    assert film.numbers == numbers
    assert [(frame.height, frame.width) for frame in film.motion] == [size for size in sizes for _ in range(8)]
    assert (film.facts.info.height, film.facts.info.width) == sizes[0]
