"""How a file is read: the stream, strictness, limits, the shape of pixels, sizes that change."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mgmtool import engines
from mgmtool.errors import DecodeFailure, NoVideoStreamFailure, OpenFailure, SpecMismatchError
from mgmtool.extraction import extract_video, prepare
from mgmtool.extraction.stream import whole_video
from mgmtool.store import Store
from mgmtool.types import DecodeOptions, ExtractSpec, FrameFlag, Outcome, PatchGrid, VideoRef
from mgmtool.video.clip import read_frames
from mgmtool.video.container import failure
from mgmtool.video.counts import FrameCounts
from mgmtool.video.pictures import read_pictures
from mgmtool.video.reader import read_video
from support import crafted, tiny_videos
from support.calling import Call
from support.moving import MATRICES, turn

SPEC = ExtractSpec(scheme="motion-guided", source="codec", grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4))


def run(inputs: Path, output: Path, spec: ExtractSpec = SPEC) -> list[Outcome]:
    return list(prepare([str(inputs)], output, spec, engines.build("inline")).outcomes())


def reading(**changes: int | bool) -> ExtractSpec:
    return dataclasses.replace(SPEC, reading=dataclasses.replace(DecodeOptions(), **changes))


# --- the record ---------------------------------------------------------------------------------------------------------


def test_a_reading_survives_json() -> None:
    given = DecodeOptions(2, True, 5, 6, 7)
    assert DecodeOptions.from_json(json.loads(json.dumps(given.to_json()))) == given
    spec = dataclasses.replace(SPEC, reading=given)
    assert ExtractSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_a_spec_without_a_reading_reads_as_it_comes() -> None:
    values = SPEC.to_json()
    del values["reading"]
    assert ExtractSpec.from_json(values) == SPEC


@pytest.mark.parametrize("changes", [{"stream": -1}, {"max_pixels": 0}, {"max_streams": 0}, {"max_frames": 2**31}])
def test_numbers_out_of_range_are_refused(changes: dict[str, int]) -> None:
    (name,) = changes
    with pytest.raises(ValueError, match=f"{name} is {changes[name]}; expected"):
        DecodeOptions(**changes)


def test_a_store_read_in_another_way_is_refused(tmp_path: Path) -> None:
    tiny_videos.write_clips(tmp_path / "v", 1)
    run(tmp_path / "v", tmp_path / "m.zarr")
    assert Store.open(tmp_path / "m.zarr").spec.reading == DecodeOptions()
    with pytest.raises(
        SpecMismatchError, match=r"was made with strict=False, this run asks for True \(without --strict\)"
    ):
        run(tmp_path / "v", tmp_path / "m.zarr", reading(strict=True))


# --- which stream -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films, of 48 x 64 and of 32 x 96 pixels, and a cover picture."""
    return crafted.encode(tmp_path_factory.mktemp("several") / "a.mp4", [(48, 64), (32, 96)], cover=True)


@pytest.mark.parametrize(("stream", "size"), [(None, (48, 64)), (0, (48, 64)), (1, (32, 96))])
def test_the_stream_that_is_asked_for_is_read(several: Path, stream: int | None, size: tuple[int, int]) -> None:
    with read_video(str(several), DecodeOptions(stream=stream)) as opened:
        assert (opened.info.height, opened.info.width) == size
        assert sum(1 for _ in opened.frames) == 6
    assert next(read_pictures(str(several), reading=DecodeOptions(stream=stream))).rgb.shape == (*size, 3)
    assert read_frames(str(several), [1], DecodeOptions(stream=stream)).rgb.shape == (1, *size, 3)


@pytest.mark.parametrize("source", ["codec", "reencode", "auto"])
def test_every_source_reads_that_stream(several: Path, source: str) -> None:
    spec = dataclasses.replace(reading(stream=1), source=source)
    assert whole_video(VideoRef("a", str(several)), spec)[1].info.width == 96


def test_a_cover_picture_is_no_film_unless_it_is_asked_for(tmp_path: Path, several: Path) -> None:
    crafted.encode(tmp_path / "c.mp4", [], cover=True)
    with pytest.raises((NoVideoStreamFailure, OpenFailure)):
        next(read_pictures(str(tmp_path / "c.mp4")))
    assert next(read_pictures(str(several), reading=DecodeOptions(stream=2))).rgb.shape == (16, 16, 3)


def test_a_stream_that_is_not_there_is_told_with_those_that_are(tmp_path: Path, several: Path) -> None:
    there = r"0 video \(h264\), 1 video \(h264\), 2 video \(png\)"
    with pytest.raises(NoVideoStreamFailure, match=rf"^stream 7 is no video stream; the file has streams: {there}$"):
        extract_video(several, reading(stream=7))
    tiny_videos.write_sound(tmp_path / "a.wav")
    with pytest.raises(
        NoVideoStreamFailure, match=r"stream 0 is no video stream; the file has streams: 0 audio \(pcm_s16le\)"
    ):
        extract_video(tmp_path / "a.wav", reading(stream=0))


# --- strict -------------------------------------------------------------------------------------------------------------


def test_damage_is_kept_by_default_and_flagged(tmp_path: Path) -> None:
    (outcome,) = run(crafted.damaged(tmp_path / "a.mp4"), tmp_path / "m.zarr")
    assert outcome.facts is not None
    assert outcome.facts.corrupt_frames + outcome.facts.lost_packets > 0
    flags = Store.open(tmp_path / "m.zarr").volume("a.mp4").flags
    assert np.count_nonzero(flags & FrameFlag.CORRUPT) == outcome.facts.corrupt_frames > 0


def test_damage_is_a_failure_where_it_is_strict(tmp_path: Path) -> None:
    (outcome,) = run(crafted.damaged(tmp_path / "a.mp4"), tmp_path / "m.zarr", reading(strict=True))
    assert outcome.failure == "decode"
    assert outcome.message is not None
    assert " corrupt of " in outcome.message
    assert "lost packets; expected none (--strict)" in outcome.message
    if not outcome.message.split(" and ")[1].startswith("0 lost"):
        assert "FFmpeg says: Invalid data" in outcome.message


def test_a_whole_film_is_done_where_it_is_strict(tmp_path: Path) -> None:
    tiny_videos.write_clips(tmp_path / "v", 1)
    (outcome,) = run(tmp_path / "v", tmp_path / "m.zarr", reading(strict=True))
    assert outcome.done


# --- limits -------------------------------------------------------------------------------------------------------------


def test_pictures_over_the_limit_are_refused(tmp_path: Path) -> None:
    (path,) = tiny_videos.write_clips(tmp_path, 1)
    words = r"^picture is 64 x 48 = 3072 pixels; expected at most 3071 \(--max-pixels\)$"
    with pytest.raises(OpenFailure, match=words):
        extract_video(path, reading(max_pixels=3071))
    assert len(extract_video(path, reading(max_pixels=3072))) == 12


def test_pictures_that_grow_over_the_limit_are_refused(tmp_path: Path) -> None:
    path = crafted.changing(tmp_path / "a.h264", [(48, 64), (96, 128)])
    with pytest.raises(OpenFailure, match="picture is 128 x 96"):
        extract_video(path, reading(max_pixels=5000))


def test_frames_over_the_limit_are_refused(tmp_path: Path) -> None:
    (path,) = tiny_videos.write_clips(tmp_path, 1)
    with pytest.raises(DecodeFailure, match=r"^more than 11 frames; expected at most so many \(--max-frames\)$"):
        extract_video(path, reading(max_frames=11))
    assert len(extract_video(path, reading(max_frames=12))) == 12


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_streams_over_the_limit_are_refused(tmp_path: Path, ending: str) -> None:
    path = crafted.encode(tmp_path / f"a.{ending}", [(16, 16)] * 5, 1)
    with pytest.raises(OpenFailure, match=r"5 streams; expected at most 4|more than 4 streams"):
        next(read_pictures(str(path), reading=DecodeOptions(max_streams=4)))
    assert next(read_pictures(str(path), reading=DecodeOptions(max_streams=5))).index == 0


# --- shapes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shown", "expected"), [("upright", Fraction(4, 3)), ("turned-90", Fraction(3, 4))])
def test_the_shape_of_a_displayed_pixel_is_in_the_index(tmp_path: Path, shown: str, expected: Fraction) -> None:
    path = crafted.encode(tmp_path / "a.mp4", [(48, 64)], aspect=Fraction(4, 3))
    turn(path, MATRICES[shown])
    run(path, tmp_path / "m.zarr")
    row = Store.open(tmp_path / "m.zarr").videos.row("a.mp4")
    assert Fraction(row["pixel_aspect_num"], row["pixel_aspect_den"]) == expected
    assert sorted((row["height"], row["width"])) == [48, 64]  # nothing is stretched


def test_square_pixels_are_1_to_1(tmp_path: Path) -> None:
    (path,) = tiny_videos.write_clips(tmp_path, 1)
    with read_video(str(path)) as opened:
        assert opened.info.pixel_aspect == 1


def test_a_change_of_size_is_told_and_the_film_goes_on(tmp_path: Path) -> None:
    path = crafted.changing(tmp_path / "a.h264", [(48, 64), (96, 128), (48, 64)])
    volume, facts = whole_video(VideoRef("a", str(path)), SPEC)
    assert len(volume) == facts.num_frames == 18
    assert "size_changes" in facts.index_risk
    assert (facts.info.height, facts.info.width) == (48, 64)
    assert (volume.box[:, 2] <= 48).all()
    assert (volume.box[:, 3] <= 64).all()
    counts = FrameCounts()
    list(read_pictures(str(path), counts=counts))
    assert counts.size_changes == 2


def test_one_size_is_no_change(tmp_path: Path) -> None:
    (path,) = tiny_videos.write_clips(tmp_path, 1)
    assert whole_video(VideoRef("a", str(path)), SPEC)[1].index_risk == ()


# --- from the command line ----------------------------------------------------------------------------------------------


def test_options_of_extract_are_in_the_spec(call: Call, several: Path, tmp_path: Path) -> None:
    asked = ("--stream", 1, "--strict", "--max-pixels", 4000, "--max-frames", 6)
    assert call("extract", several, "-o", tmp_path / "m.zarr", "--engine", "inline", "-q", *asked).code == 0
    store = Store.open(tmp_path / "m.zarr")
    assert store.spec.reading == DecodeOptions(1, True, 4000, max_frames=6)
    assert store.videos.row("a.mp4")["width"] == 96


def test_a_film_of_the_masks_shows_their_stream(call: Call, several: Path, tmp_path: Path) -> None:
    store = tmp_path / "m.zarr"
    assert call("extract", several, "-o", store, "--engine", "inline", "-q", "--stream", 1).code == 0
    for name, more in (("computed.mp4", ["--stream", "1"]), ("stored.mp4", ["--store", store])):
        assert call("visualize", several, "-o", tmp_path / name, "--arrows", *more).code == 0
        assert next(read_pictures(str(tmp_path / name))).rgb.shape == (32, 96, 3)
    assert call("visualize", several, "-o", tmp_path / "no.mp4", "--store", store, "--strict").code == 2


@pytest.mark.parametrize("readable", [True, False])
def test_garbage_that_reads_as_an_io_error_is_no_io_error(tmp_path: Path, readable: bool) -> None:
    path = tmp_path / "garbage.mkv"
    if readable:
        path.write_bytes(b"anything")
    error = failure(OSError(5, "Input/output error"), opening=str(path))
    assert error.failure == ("open" if readable else "io")
    words = "Input/output error" if readable else "No such file or directory"
    assert words in str(error)
