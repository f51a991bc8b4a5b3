"""The source that chooses: vectors of the codec where there are any, else re-encoding; what it holds back, and what it says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mgmtool import sources
from mgmtool.errors import NoMotionVectorsFailure, ReadFailure, UsageError
from mgmtool.sources import auto
from mgmtool.sources.base import MotionStream
from mgmtool.types import ExtractSpec, FrameMotion
from mgmtool.video.reencode import has_encoder
from support import streams
from support.moving import encode, panning, ref
from support.streams import Clip

pytestmark = pytest.mark.skipif(not has_encoder(), reason="this build of PyAV has no libx264")


def read(path: Path, source: str = "auto", **how: Any) -> Clip:
    return streams.read(path, source, chroma=True, **how)


def assert_as_alone(found: Clip, alone: Clip) -> None:
    """Compare what auto gave with what the source it chose gives."""
    assert found[0] == alone[0]
    assert dataclasses.replace(found[2], source_reason="asked for") == alone[2]
    for frame, other in zip(found[1], alone[1], strict=True):
        for here, there in zip(frame, other, strict=True):
            np.testing.assert_array_equal(here, there)


def test_it_is_the_default() -> None:
    assert ExtractSpec().source == "auto"


@pytest.mark.parametrize("options", [{}, {"cell": 8}])
def test_vectors_of_the_codec_are_used_where_there_are_any(options: dict[str, int], tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(10, 96, 160), g="4")
    found = read(path, **options)
    assert found[2].source_reason == "vectors in frame 1"
    assert_as_alone(found, read(path, "codec", **options))


@pytest.mark.parametrize("options", [{}, {"cell": 8}])
@pytest.mark.parametrize(
    ("encoder", "ending", "frames", "more", "reason"),
    [
        (
            "libvpx-vp9",
            ".webm",
            4,
            {"deadline": "realtime"},
            "vp9: no motion vectors in 4 frames, 1 of them key frames",
        ),
        (
            "libvpx-vp9",
            ".webm",
            50,
            {"deadline": "realtime"},
            "vp9: no motion vectors in 33 frames, 1 of them key frames",
        ),
        ("libx265", ".mkv", 4, {}, "hevc: no motion vectors in 4 frames, 1 of them key frames"),
        ("libx264", ".mp4", 5, {"g": "1"}, "h264: no motion vectors in 5 frames, 5 of them key frames"),
        ("libx264", ".mp4", 70, {"g": "1"}, "h264: no motion vectors in 64 frames, 64 of them key frames"),
        ("ffv1", ".mkv", 4, {"g": "1"}, "ffv1: no motion vectors in 4 frames, 4 of them key frames"),
    ],
)
def test_films_without_vectors_are_encoded_again(
    encoder: str, ending: str, frames: int, more: dict[str, str], reason: str, options: dict[str, int], tmp_path: Path
) -> None:
    if encoder not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {encoder}")
    path = encode(tmp_path / f"clip{ending}", panning(frames, 48, 64, (0, 1)), encoder, **more)
    found = read(path, **options)
    assert (found[2].source, found[2].source_reason) == ("reencode", reason)
    assert found[2].vector_frames == frames - 1
    assert_as_alone(found, read(path, "reencode", **options))


@pytest.mark.parametrize(("ending", "options"), [(".webm", {"deadline": "realtime"}), (".mp4", {})])
def test_without_motion_there_is_nothing_to_choose(ending: str, options: dict[str, str], tmp_path: Path) -> None:
    encoder = "libvpx-vp9" if ending == ".webm" else "libx264"
    if encoder not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {encoder}")
    path = encode(tmp_path / f"clip{ending}", panning(40, 48, 64, (0, 1)), encoder, **options)
    found = read(path, motion=False)
    assert (found[2].source, found[2].source_reason) == ("codec", "no motion asked for")
    assert_as_alone(found, read(path, "codec", motion=False))


def test_a_film_of_one_frame_works(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(1, 64, 96))
    found = read(path)
    assert (found[2].source, found[2].source_reason) == ("codec", "one frame has no motion")
    assert_as_alone(found, read(path, "codec"))


@pytest.mark.parametrize("codec", ["h264", "vp9"])
def test_no_frame_comes_twice_or_out_of_order(codec: str, tmp_path: Path) -> None:
    encoder, ending = {"h264": ("libx264", ".mp4"), "vp9": ("libvpx-vp9", ".webm")}[codec]
    if encoder not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {encoder}")
    _, frames, facts = read(encode(tmp_path / f"clip{ending}", panning(45, 48, 64, (0, 1)), encoder))
    assert [frame.index for frame in frames] == list(range(45))
    assert facts.num_frames == 45


# What is held back.


Pretend = Callable[[list[bool]], list[int]]


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Return how many frames the codec was asked for when each frame came out, for a codec with vectors in some frames."""
    path = encode(tmp_path / "clip.mp4", panning(90, 32, 48, (0, 1)), g="1")
    real = auto.Codec

    def run(vectors: list[bool]) -> list[int]:
        taken = [0]

        class Codec(real):  # type: ignore[misc,valid-type]
            @contextmanager
            def open(self, video: Any, **asked: bool) -> Iterator[MotionStream]:
                with super().open(video, **asked | {"motion": False}) as stream:
                    yield dataclasses.replace(stream, frames=counted(stream.frames))

        def counted(frames: Iterator[FrameMotion]) -> Iterator[FrameMotion]:
            for frame, there in zip(frames, vectors, strict=False):
                taken[0] += 1
                yield frame._replace(has_vectors=there)

        monkeypatch.setattr(auto, "Codec", Codec)
        with sources.build("auto").open(ref(path), motion=True, luma=False) as stream:
            return [taken[0] for _ in stream.frames]

    return run


def test_frames_are_held_back_up_to_the_first_with_vectors(pretend: Pretend) -> None:
    assert pretend([False] * 5 + [True] * 85) == [6] * 6 + list(range(7, 91))


def test_no_more_than_64_frames_are_held_back(pretend: Pretend) -> None:
    assert pretend([False] * 63 + [True] * 27) == [64] * 64 + list(range(65, 91))
    assert pretend([False] * 64 + [True] * 26) == [64] * 90  # too late: all of them are encoded again


# What is not as it should be.


def test_errors_of_the_first_pass_are_those_of_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode(tmp_path / "clip.mp4", panning(3, 48, 64))

    class Broken(auto.Codec):
        @contextmanager
        def open(self, video: Any, **asked: bool) -> Iterator[MotionStream]:
            with super().open(video, **asked) as stream:
                yield dataclasses.replace(stream, frames=broken())

    def broken() -> Iterator[FrameMotion]:
        raise ReadFailure("Input/output error")
        yield

    monkeypatch.setattr(auto, "Codec", Broken)
    with pytest.raises(ReadFailure):
        read(path)


def test_without_the_encoder_it_is_the_codec_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "has_encoder", lambda: False)
    path = encode(tmp_path / "clip.mp4", panning(5, 48, 64))
    assert_as_alone(read(path), read(path, "codec"))
    for frames in (5, 70):
        intra = encode(tmp_path / f"{frames}.mp4", panning(frames, 32, 48, (0, 1)), g="1")
        with pytest.raises(
            NoMotionVectorsFailure, match=r"h264: no motion vectors in .*; PyAV was built without libx264"
        ):
            read(intra)


def test_other_cells_are_refused() -> None:
    with pytest.raises(UsageError, match="auto option cell is 5; expected auto or one of"):
        sources.build("auto", {"cell": 5})
