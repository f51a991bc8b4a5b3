"""Optical flow as a source: known motion, the same frames as the codec source, any codec, and no OpenCV at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from mgmtool import cli, plugins, sources
from mgmtool.errors import UsageError
from mgmtool.sources import flow
from mgmtool.types import FrameMotion
from mgmtool.video.frames import Plane
from support import streams
from support.moving import MATRICES, encode, panning, ref, square_path, turn, with_square
from support.streams import Clip, encode_as, has_no_motion

Array = NDArray[Any]


def read(path: Path, source: str = "flow", **how: Any) -> Clip:
    """Read all of a clip; skips the test where there is no OpenCV."""
    pytest.importorskip("cv2")
    return streams.read(path, source, chroma=True, **how)


def usual(frame: FrameMotion) -> Array:
    assert frame.displacement is not None
    middle: Array = np.median(frame.displacement.reshape(-1, 2), axis=0)
    return middle


# Motion that is known.


@pytest.mark.parametrize("step", [(0, 4), (0, -4), (4, 0), (-4, 0), (3, -5), (1, 0)], ids=str)
@pytest.mark.parametrize(
    "options",
    [{"preset": "ultrafast"}, {"preset": "fast"}, {"preset": "medium"}, {"method": "farneback"}],
    ids=lambda options: "-".join(options.values()),
)
def test_displacement_is_where_content_went(step: tuple[int, int], options: dict[str, str], tmp_path: Path) -> None:
    for frame in read(encode(tmp_path / "clip.mp4", panning(4, 96, 160, step)), **options)[1][1:]:
        np.testing.assert_allclose(usual(frame), step, atol=0.3)
        assert frame.displacement is not None
        inner = frame.displacement[1:-1, 1:-1]
        assert np.abs(inner - step).mean() < 0.3


def test_what_stands_still_has_no_displacement(tmp_path: Path) -> None:
    for frame in read(encode(tmp_path / "clip.mp4", panning(3, 96, 160, (0, 0))))[1][1:]:
        np.testing.assert_allclose(frame.displacement, 0, atol=0.2)
        assert frame.has_vectors  # known to stand still, other than unknown


@pytest.mark.parametrize("step", [(0, 4), (-2, -4)], ids=str)
def test_a_square_moves_against_the_pan(step: tuple[int, int], tmp_path: Path) -> None:
    path = square_path(5, (48, 64), step)
    pictures = with_square(panning(5, 192, 256, (-step[0], -step[1])), path, 96)
    for frame in read(encode(tmp_path / "clip.mp4", pictures, qp="10"))[1][1:]:
        assert frame.displacement is not None
        top, left = path[frame.index]
        inside = frame.displacement[top // 16 + 2 : top // 16 + 4, left // 16 + 2 : left // 16 + 4]
        np.testing.assert_allclose(np.median(inside, axis=(0, 1)), step, atol=0.3)
        np.testing.assert_allclose(usual(frame), (-step[0], -step[1]), atol=0.3)


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_displacement_is_turned_to_the_display(matrix: Sequence[int], tmp_path: Path) -> None:
    a, b, c, d = matrix
    path = turn(encode(tmp_path / "clip.mp4", panning(3, 90, 150, (2, 4))), matrix)
    info, frames, _ = read(path)
    by_codec = read(path, "codec")[1]
    assert (info.height, info.width) == ((90, 150) if a else (150, 90))
    for frame, other in zip(frames[1:], by_codec[1:], strict=True):
        assert (frame.height, frame.width) == (info.height, info.width)
        np.testing.assert_allclose(usual(frame), (4 * b + 2 * d, 4 * a + 2 * c), atol=0.3)
        np.testing.assert_allclose(usual(frame), usual(other), atol=0.5)
        assert frame.displacement is not None
        assert other.displacement is not None
        assert frame.displacement.shape == other.displacement.shape


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_places_are_turned_to_the_display(matrix: Sequence[int], tmp_path: Path) -> None:
    pictures = with_square(panning(3, 96, 160, (0, 0)), square_path(3, (16, 16), (0, 4)), 32)
    path = encode(tmp_path / "clip.mp4", pictures)
    upright = read(path)[1]
    info, turned, _ = read(turn(path, matrix))
    for frame, other in zip(turned, upright, strict=True):
        assert other.displacement is not None
        np.testing.assert_array_equal(frame.displacement, info.orientation.vectors(other.displacement))


# Every film.


@pytest.mark.parametrize("size", [(97, 151), (33, 47), (16, 16), (11, 40), (5, 7), (1, 1)], ids=str)
@pytest.mark.parametrize("method", flow.METHODS)
def test_sizes_may_be_odd_or_tiny(size: tuple[int, int], method: str, tmp_path: Path) -> None:
    path = encode_as(tmp_path / "clip.mkv", panning(3, *size, (0, 2)), "gray")
    for cell in (4, 16):
        info, frames, _ = read(path, method=method, cell=cell)
        assert (info.height, info.width) == size
        rows, cols = (-(-side // cell) for side in size)
        for frame in frames[1:]:
            assert frame.displacement is not None
            assert frame.coverage is not None
            assert frame.displacement.shape == (rows, cols, 2)
            assert frame.displacement.dtype == frame.coverage.dtype == np.float32
            assert np.isfinite(frame.displacement).all()
            assert frame.coverage.tolist() == np.ones((rows, cols)).tolist()
            if min(size) > 30:
                np.testing.assert_allclose(usual(frame), (0, 2), atol=0.3)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le", "yuv444p12le", "gray16le", "bgr0"])
def test_pixels_may_have_any_depth_and_format(pixel_format: str, tmp_path: Path) -> None:
    path = encode_as(tmp_path / "clip.mkv", panning(3, 96, 160, (-1, 3)), pixel_format)
    for frame in read(path)[1][1:]:
        np.testing.assert_allclose(usual(frame), (-1, 3), atol=0.3)


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 8), (np.uint16, 10), (np.uint16, 12), (np.uint16, 16)])
def test_grey_is_the_picture_in_eight_bits_without_padding(dtype: Any, bits: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
    samples = np.full((20, 37), 255, dtype)
    samples[:, :30] = picture.astype(dtype) << (bits - 8)
    grey = flow._grey(Plane(samples, 30, 2.0 ** (8 - bits)))
    np.testing.assert_array_equal(grey, picture)
    assert grey.dtype == np.uint8
    assert grey.flags.c_contiguous
    assert not np.shares_memory(grey, samples)


@pytest.mark.parametrize(
    ("encoder", "codec", "ending"),
    [
        ("libx264", "h264", ".mp4"),
        ("mpeg4", "mpeg4", ".avi"),
        ("libx265", "hevc", ".mkv"),
        ("libvpx-vp9", "vp9", ".webm"),
        ("libsvtav1", "av1", ".mkv"),
    ],
)
def test_codecs_need_no_vectors(encoder: str, codec: str, ending: str, tmp_path: Path) -> None:
    if encoder not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {encoder}")
    options = {"deadline": "realtime"} if encoder == "libvpx-vp9" else {}
    path = encode(tmp_path / f"clip{ending}", panning(4, 96, 160, (2, -3)), encoder, **options)
    info, frames, facts = read(path)
    assert (info.codec, facts.num_frames, facts.vector_frames) == (codec, 4, 3)
    for frame in frames[1:]:
        np.testing.assert_allclose(usual(frame), (2, -3), atol=0.4)


def test_films_without_vectors_go_through_the_pipeline(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    streams.assert_box_follows_a_square(tmp_path / "clip.mkv", "flow")


# What it shares with the codec source.


def test_all_but_the_motion_is_that_of_the_codec_source(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(8, 100, 150, (0, 4)), g="4", bf="2")
    streams.assert_all_but_motion_is_equal(read(path), read(path, "codec"), "flow")


def test_only_the_first_frame_is_without_motion(tmp_path: Path) -> None:
    frames = read(encode(tmp_path / "clip.mp4", panning(7, 96, 160), g="3"))[1]
    assert [has_no_motion(frame) for frame in frames] == [True] + [False] * 6
    assert [frame.has_vectors for frame in frames] == [False] + [True] * 6


def test_a_film_of_one_frame_works(tmp_path: Path) -> None:
    _, frames, facts = read(encode(tmp_path / "clip.mp4", panning(1, 64, 96)))
    assert [has_no_motion(frame) for frame in frames] == [True]
    assert (facts.num_frames, facts.vector_frames) == (1, 0)


def test_a_change_of_size_is_a_start(tmp_path: Path) -> None:
    one = encode(tmp_path / "one.h264", panning(3, 96, 160))
    other = encode(tmp_path / "other.h264", panning(3, 64, 96))
    both = tmp_path / "both.h264"
    both.write_bytes(one.read_bytes() + other.read_bytes())
    frames = read(both)[1]
    assert [frame.height for frame in frames] == [96] * 3 + [64] * 3
    assert [has_no_motion(frame) for frame in frames] == [True, False, False] * 2


def test_damaged_pictures_have_no_motion_nor_has_the_next(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(20, 96, 160), g="5")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    rng = np.random.default_rng(0)
    for place in rng.integers(start, len(data), 30):
        data[place] ^= 1 << rng.integers(8)
    path.write_bytes(data)
    frames = read(path)[1]
    assert any(frame.corrupt for frame in frames)
    damaged = [frame.corrupt for frame in frames]
    expected = [here or before for here, before in zip(damaged, [True, *damaged[:-1]], strict=True)]
    assert [has_no_motion(frame) for frame in frames] == expected


def test_motion_that_is_not_asked_for_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode(tmp_path / "clip.mp4", panning(3, 96, 160))
    with_motion = read(path)[1]
    monkeypatch.setattr(flow, "_opencv", lambda: pytest.fail("OpenCV was imported"))
    for frame, other in zip(read(path, motion=False)[1], with_motion, strict=True):
        assert frame.displacement is None
        assert frame.coverage is None
        assert not frame.has_vectors
        np.testing.assert_array_equal(frame.luma, other.luma)


@pytest.mark.parametrize("method", flow.METHODS)
def test_threads_change_nothing_and_are_left_as_they_were(method: str, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    path = encode(tmp_path / "clip.mp4", panning(4, 240, 320, (3, 2)))
    before = cv2.getNumThreads()
    try:
        fields = []
        for threads in (1, 2, 3):
            cv2.setNumThreads(threads)
            fields.append(np.stack([frame.displacement for frame in read(path, method=method)[1]]))
            assert cv2.getNumThreads() == threads
    finally:
        cv2.setNumThreads(before)
    assert fields[0].tobytes() == fields[1].tobytes() == fields[2].tobytes()


# Options.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "raft"}, "flow option method is 'raft'; expected one of dis, farneback"),
        ({"preset": "slow"}, "flow option preset is 'slow'; expected one of ultrafast, fast, medium"),
        ({"cell": 5}, "flow option cell is 5; expected auto or one of 4, 8, 16, 32, 64"),
        ({"cell": "big"}, "flow option cell is 'big'; expected a whole number"),
    ],
)
def test_other_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        sources.build("flow", options)
    assert str(caught.value) == message


@pytest.mark.parametrize(("cell", "side"), [(4, 4), ("64", 64), ("auto", 16)])
def test_cells_have_the_side_that_was_asked_for(cell: Any, side: int, tmp_path: Path) -> None:
    frames = read(encode(tmp_path / "clip.mp4", panning(2, 100, 150)), cell=cell)[1]
    assert {frame.cell for frame in frames} == {side}


# Without OpenCV.


@pytest.fixture
def no_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)


def test_without_opencv_the_source_says_what_to_install(no_opencv: None) -> None:
    with pytest.raises(UsageError) as caught:
        sources.build("flow")
    assert str(caught.value) == "the source 'flow' needs OpenCV, which is not installed; pip install 'mgmtool[flow]'"


def test_without_opencv_a_run_does_not_begin(
    no_opencv: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = encode(tmp_path / "clip.mp4", panning(2, 64, 96))
    with pytest.raises(SystemExit) as ended:
        cli.main(["extract", str(path), "-o", str(tmp_path / "masks.zarr"), "--source", "flow"])
    assert ended.value.code == 2
    assert "the source 'flow' needs OpenCV, which is not installed" in capsys.readouterr().err
    assert not (tmp_path / "masks.zarr").exists()


def test_without_opencv_the_source_is_still_listed(no_opencv: None) -> None:
    assert "flow" in sources.names()
    assert sources.summary("flow") == plugins.summary("mgmtool.sources", "flow")
    result = CliRunner().invoke(cli.cli, ["sources"])
    assert result.exit_code == 0
    assert "method=dis preset=fast cell=auto" in result.output


def test_opencv_that_cannot_be_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = sources.build("flow")
    monkeypatch.setitem(sys.modules, "cv2", None)
    path = encode(tmp_path / "clip.mp4", panning(2, 64, 96))
    with (
        pytest.raises(UsageError, match=r"needs OpenCV, which cannot be imported \(import of cv2 halted"),
        source.open(ref(path), motion=True, luma=False),
    ):
        pass


def test_listing_and_building_do_not_import_opencv() -> None:
    pytest.importorskip("cv2")
    code = (
        "import sys; from mgmtool import sources; sources.summary('flow'); sources.build('flow'); sources.warm_up(); "
    )
    subprocess.run([sys.executable, "-c", code + "assert 'cv2' not in sys.modules"], check=True)
