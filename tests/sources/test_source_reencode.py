"""Re-encoding as a source: known motion in any codec and shape, all else as the codec source has it, the same bytes twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mgmtool import sources
from mgmtool.errors import UsageError
from mgmtool.sources import reencode
from mgmtool.sources._frames import FrameReducer
from mgmtool.types import FrameMotion
from mgmtool.video.frames import DecodedFrame
from mgmtool.video.reader import read_video
from mgmtool.video.reencode import Reencoder, has_encoder
from support import streams
from support.moving import MATRICES, encode, panning, square_path, turn, with_square
from support.streams import Clip, encode_as, has_no_motion, usual

pytestmark = pytest.mark.skipif(not has_encoder(), reason="this build of PyAV has no libx264")

Array = NDArray[Any]


def read(path: Path, source: str = "reencode", **how: Any) -> Clip:
    return streams.read(path, source, chroma=True, **how)


# Motion that is known.


@pytest.mark.parametrize("step", [(0, 4), (0, -4), (4, 0), (-4, 0), (3, -5), (1, 0)], ids=str)
@pytest.mark.parametrize("short_side", [256, 48])
def test_displacement_is_where_content_went(step: tuple[int, int], short_side: int, tmp_path: Path) -> None:
    for frame in read(encode(tmp_path / "clip.mp4", panning(6, 96, 160, step)), short_side=short_side)[1][1:]:
        np.testing.assert_allclose(usual(frame), step, atol=0.5)
        assert frame.displacement is not None
        assert np.abs(frame.displacement[1:-1, 1:-1] - step).mean() < 0.75


def test_large_pictures_are_shrunk_and_their_vectors_are_not(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(4, 480, 854, (-3, 6)), preset="ultrafast")
    for frame, other in zip(read(path)[1][1:], read(path, "codec")[1][1:], strict=True):
        np.testing.assert_allclose(usual(frame), (-3, 6), atol=0.5)
        np.testing.assert_allclose(usual(frame), usual(other), atol=0.5)


def test_what_stands_still_has_no_displacement(tmp_path: Path) -> None:
    for frame in read(encode(tmp_path / "clip.mp4", panning(3, 96, 160, (0, 0))))[1][1:]:
        np.testing.assert_allclose(frame.displacement, 0, atol=0.3)
        assert frame.has_vectors  # known to stand still, other than unknown


@pytest.mark.parametrize("step", [(0, 4), (-2, -4)], ids=str)
def test_a_square_moves_against_the_pan(step: tuple[int, int], tmp_path: Path) -> None:
    path = square_path(5, (48, 64), step)
    pictures = with_square(panning(5, 192, 256, (-step[0], -step[1])), path, 96)
    for frame in read(encode(tmp_path / "clip.mp4", pictures, qp="10"))[1][1:]:
        assert frame.displacement is not None
        top, left = path[frame.index]
        inside = frame.displacement[top // 16 + 2 : top // 16 + 4, left // 16 + 2 : left // 16 + 4]
        np.testing.assert_allclose(np.median(inside, axis=(0, 1)), step, atol=0.5)
        np.testing.assert_allclose(usual(frame), (-step[0], -step[1]), atol=0.5)


def test_displacement_is_always_over_one_frame(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(12, 96, 160, (0, 3)), bf="3", g="5")
    frames = read(path)[1]
    assert [has_no_motion(frame) for frame in frames] == [True] + [False] * 11
    for frame in frames[1:]:
        np.testing.assert_allclose(usual(frame), (0, 3), atol=0.5)


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_displacement_is_turned_to_the_display(matrix: Sequence[int], tmp_path: Path) -> None:
    a, b, c, d = matrix
    path = turn(encode(tmp_path / "clip.mp4", panning(4, 90, 150, (2, 4))), matrix)
    info, frames, _ = read(path)
    assert (info.height, info.width) == ((90, 150) if a else (150, 90))
    for frame, other in zip(frames[1:], read(path, "codec")[1][1:], strict=True):
        assert (frame.height, frame.width) == (info.height, info.width)
        np.testing.assert_allclose(usual(frame), (4 * b + 2 * d, 4 * a + 2 * c), atol=0.5)
        assert frame.displacement is not None
        assert other.displacement is not None
        assert frame.displacement.shape == other.displacement.shape


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_places_are_turned_to_the_display(matrix: Sequence[int], tmp_path: Path) -> None:
    pictures = with_square(panning(3, 96, 160, (0, 0)), square_path(3, (16, 16), (0, 4)), 32)
    path = encode(tmp_path / "clip.mp4", pictures)
    upright = read(path, short_side=64)[1]
    info, turned, _ = read(turn(path, matrix), short_side=64)
    for frame, other in zip(turned, upright, strict=True):
        assert other.displacement is not None
        np.testing.assert_array_equal(frame.displacement, info.orientation.vectors(other.displacement))


# Every film.


@pytest.mark.parametrize("size", [(97, 151), (33, 47), (16, 16), (11, 40), (5, 7), (2, 2), (1, 1), (2, 9000)], ids=str)
def test_sizes_may_be_odd_tiny_or_long(size: tuple[int, int], tmp_path: Path) -> None:
    path = encode_as(tmp_path / "clip.mkv", panning(3, *size, (0, 2)), "gray")
    for cell in (4, 16):
        info, frames, _ = read(path, cell=cell)
        assert (info.height, info.width) == size
        rows, cols = (-(-side // cell) for side in size)
        for frame in frames[1:]:
            assert frame.displacement is not None
            assert frame.coverage is not None
            assert frame.displacement.shape == (rows, cols, 2)
            assert frame.displacement.dtype == frame.coverage.dtype == np.float32
            assert np.isfinite(frame.displacement).all()
            assert ((frame.coverage >= 0) & (frame.coverage <= 1)).all()
            if min(size) > 40:
                np.testing.assert_allclose(usual(frame), (0, 2), atol=0.5)


@pytest.mark.parametrize(
    ("size", "short_side", "copy"),
    [
        ((480, 854), 256, (256, 454)),
        ((854, 480), 256, (454, 256)),
        ((2160, 3840), 256, (256, 454)),
        ((256, 256), 256, (256, 256)),
        ((255, 257), 256, (254, 256)),
        ((97, 151), 256, (96, 150)),
        ((1, 1), 256, (2, 2)),
        ((3, 2), 32, (2, 2)),
        ((480, 854), 32, (32, 56)),
        ((16, 16384), 256, (4, 4096)),
        ((1, 30000), 256, (2, 4096)),
    ],
    ids=str,
)
def test_copies_have_even_sides_and_are_not_enlarged(
    size: tuple[int, int], short_side: int, copy: tuple[int, int]
) -> None:
    assert reencode.copy_size(*size, short_side) == copy


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le", "yuv444p12le", "gray16le", "bgr0"])
def test_pixels_may_have_any_depth_and_format(pixel_format: str, tmp_path: Path) -> None:
    path = encode_as(tmp_path / "clip.mkv", panning(3, 96, 160, (-1, 3)), pixel_format)
    for frame in read(path)[1][1:]:
        np.testing.assert_allclose(usual(frame), (-1, 3), atol=0.5)


@pytest.mark.parametrize(
    ("encoder", "codec", "ending", "pixels"),
    [
        ("libx264", "h264", ".mp4", "yuv420p"),
        ("mpeg4", "mpeg4", ".avi", "yuv420p"),
        ("libx265", "hevc", ".mkv", "yuv420p"),
        ("libx265", "hevc", ".mkv", "yuv420p10le"),
        ("libvpx", "vp8", ".webm", "yuv420p"),
        ("libvpx-vp9", "vp9", ".webm", "yuv420p"),
        ("libsvtav1", "av1", ".mkv", "yuv420p"),
        ("mjpeg", "mjpeg", ".avi", "yuvj420p"),
        ("prores_ks", "prores", ".mov", "yuv422p10le"),
    ],
)
def test_codecs_need_no_vectors(encoder: str, codec: str, ending: str, pixels: str, tmp_path: Path) -> None:
    if encoder not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {encoder}")
    path = encode_as(tmp_path / f"clip{ending}", panning(4, 96, 160, (2, -3)), pixels, encoder)
    info, frames, facts = read(path)
    assert (info.codec, facts.num_frames, facts.vector_frames) == (codec, 4, 3)
    assert (facts.source, facts.source_reason) == ("reencode", "asked for")
    for frame in frames[1:]:
        np.testing.assert_allclose(usual(frame), (2, -3), atol=0.5)


def test_films_without_vectors_go_through_the_pipeline(tmp_path: Path) -> None:
    streams.assert_box_follows_a_square(tmp_path / "clip.mkv", "reencode")


# What it shares with the codec source.


def test_all_but_the_motion_is_that_of_the_codec_source(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(8, 100, 150, (0, 4)), g="4", bf="2")
    streams.assert_all_but_motion_is_equal(read(path), read(path, "codec"), "reencode")


def test_a_film_of_one_frame_works(tmp_path: Path) -> None:
    _, frames, facts = read(encode(tmp_path / "clip.mp4", panning(1, 64, 96)))
    assert [has_no_motion(frame) for frame in frames] == [True]
    assert (facts.num_frames, facts.vector_frames) == (1, 0)


def test_without_motion_nothing_is_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reencode, "Reencoder", None)
    _, frames, facts = read(encode(tmp_path / "clip.mp4", panning(3, 64, 96)), motion=False)
    assert [frame.displacement for frame in frames] == [None] * 3
    assert facts.vector_frames == 0


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(20, 100, 150, (3, -4)))
    for frame, other in zip(read(path, short_side=64)[1], read(path, short_side=64)[1], strict=True):
        for here, there in zip(frame, other, strict=True):
            np.testing.assert_array_equal(here, there)


# What is not as it should be.


def through(path: Path, change: Any) -> list[FrameMotion]:
    """Read a film, each of its decoded frames changed."""
    with read_video(str(path)) as opened:
        frames = (change(index, frame) for index, frame in enumerate(opened.frames))
        changed = dataclasses.replace(opened, frames=frames)
        return list(reencode._Run(changed, FrameReducer(changed, None, True, False), 256).frames())


def test_a_corrupt_frame_and_the_one_after_have_no_motion(tmp_path: Path) -> None:
    def damaged(index: int, frame: DecodedFrame) -> DecodedFrame:
        return dataclasses.replace(frame, corrupt=index in {2, 5, 6})

    frames = through(encode(tmp_path / "clip.mp4", panning(10, 96, 160)), damaged)
    assert [frame.corrupt for frame in frames] == [index in {2, 5, 6} for index in range(10)]
    assert [index for index, frame in enumerate(frames) if has_no_motion(frame)] == [0, 2, 3, 5, 6, 7]
    for index in (1, 4, 8, 9):
        np.testing.assert_allclose(usual(frames[index]), (0, 4), atol=0.5)


def test_another_size_starts_anew(tmp_path: Path) -> None:
    films = [encode(tmp_path / f"{h}.h264", panning(4, h, w, (0, 4))) for h, w in ((96, 160), (64, 112))]
    both = tmp_path / "both.h264"
    both.write_bytes(b"".join(film.read_bytes() for film in films))
    _, frames, facts = read(both)
    assert [(frame.height, frame.width) for frame in frames] == [(96, 160)] * 4 + [(64, 112)] * 4
    assert [has_no_motion(frame) for frame in frames] == [True, False, False, False] * 2
    assert facts.vector_frames == 6
    for frame in frames:
        if frame.has_vectors:
            np.testing.assert_allclose(usual(frame), (0, 4), atol=0.5)


def test_cuts_and_noise_give_a_picture_each_all_the_same() -> None:
    rng = np.random.default_rng(0)
    encoder = Reencoder(64, 96)
    dtype = np.dtype("V40")
    found = [encoder.vectors(rng.integers(0, 256, (64, 96), np.uint8), dtype) for _ in range(20)]
    assert found[0] is None
    assert len(found) == 20


@pytest.mark.parametrize("short_side", [31, 0, -256, 2161])
def test_other_short_sides_are_refused(short_side: int) -> None:
    with pytest.raises(UsageError, match=f"reencode option short_side is {short_side}; expected 32 to 2160 pixels"):
        sources.build("reencode", {"short_side": short_side})


def test_other_cells_are_refused() -> None:
    with pytest.raises(UsageError, match="reencode option cell is 5; expected auto or one of"):
        sources.build("reencode", {"cell": 5})


def test_without_the_encoder_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reencode, "has_encoder", lambda: False)
    with pytest.raises(UsageError, match="the source 'reencode': PyAV was built without libx264"):
        sources.build("reencode")
