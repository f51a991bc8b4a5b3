"""What every motion source keeps, on clips whose motion is known; then each source on its own."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mgmtool import sources
from mgmtool.errors import (
    NoMotionVectorsFailure,
    NoVideoStreamFailure,
    OpenFailure,
    ReadFailure,
    UsageError,
    VideoError,
)
from mgmtool.kernels.field import VECTOR
from mgmtool.sources import recorded
from mgmtool.testing import SourceContract
from mgmtool.types import FrameMotion, Orientation
from mgmtool.video.reader import read_video
from support import streams
from support.moving import MATRICES, X264, cut_short, encode, panning, ref, silence, square_path, turn, with_square
from support.streams import Clip, usual

Array = NDArray[Any]

FRAMES, HEIGHT, WIDTH = 10, 100, 150

without_opencv = pytest.mark.skipif(find_spec("cv2") is None, reason="flow needs OpenCV, which is not installed")
every_source = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=without_opencv if name == "flow" else ()) for name in sources.names()]
)


def read(path: Path, source: str = "codec", **how: Any) -> Clip:
    return streams.read(path, source, **how)


def record(path: Path, target: Path, *, motion: bool = True, luma: bool = True) -> Path:
    with sources.build("codec").open(ref(path), motion=motion, luma=luma) as stream:
        recorded.save(target, stream)
    return target


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clip of a pan to the right, in a size that no cell divides, with an I-frame in the middle."""
    pictures = panning(FRAMES, HEIGHT, WIDTH, (0, 4))
    return encode(tmp_path_factory.mktemp("plain") / "plain.mp4", pictures, g="6")


@pytest.fixture(scope="module")
def given(plain: Path) -> Callable[[str], Path]:
    """Return the same clip in the form a source reads."""
    recording = record(plain, plain.with_suffix(".motion"))
    return lambda name: recording if name == "recorded" else plain


# Every source.


class TestEverySource(SourceContract):
    names = sources.names()
    frames, height, width, step = FRAMES, HEIGHT, WIDTH, (0, 4)

    @pytest.fixture(autouse=True)
    def _given(self, given: Callable[[str], Path]) -> None:
        self._path = given

    def video(self, name: str) -> Path:
        return self._path(name)

    def build(self, name: str, **options: Any) -> Any:
        if name == "flow":
            pytest.importorskip("cv2", reason="flow needs OpenCV, which is not installed")
        return super().build(name, **options)


@every_source
def test_the_source_and_the_reason_for_it_are_told(name: str, given: Callable[[str], Path]) -> None:
    facts = read(given(name), name)[2]
    assert facts.source == ("codec" if name == "auto" else name)
    assert facts.source_reason == ("vectors in frame 1" if name == "auto" else "asked for")


@every_source
def test_frames_have_vectors_where_enough_is_covered(name: str, given: Callable[[str], Path]) -> None:
    for frame in read(given(name), name)[1]:
        assert frame.coverage is not None
        assert frame.has_vectors == (frame.coverage.mean() > 0.02)


def fields(frame: FrameMotion) -> tuple[Array | None, Array | None, Array | None]:
    return frame.displacement, frame.coverage, frame.luma


# Codec.


def vectors_of(path: Path, **options: Any) -> list[FrameMotion]:
    frames = [frame for frame in read(path, **options)[1] if frame.has_vectors]
    assert frames
    return frames


@pytest.mark.parametrize("step", [(0, 4), (0, -4), (4, 0), (-4, 0), (3, -5)], ids=str)
@pytest.mark.parametrize(
    ("codec", "ending", "options"),
    [
        pytest.param("libx264", ".mp4", {}, id="h264"),
        pytest.param("mpeg4", ".avi", {}, id="mpeg4"),
        pytest.param("mpeg2video", ".mpg", {"b": "4000000"}, id="mpeg2"),
    ],
)
def test_displacement_is_where_content_went(
    step: tuple[int, int], codec: str, ending: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = encode(tmp_path / f"clip{ending}", panning(5, 96, 160, step), codec, **options)
    for frame in vectors_of(path):
        np.testing.assert_allclose(usual(frame), step, atol=0.26)


@pytest.mark.parametrize("step", [(0, 4), (-4, 0)], ids=str)
@pytest.mark.parametrize(("codec", "least"), [("libx264", 11), ("mpeg4", 3)])
def test_b_frames_keep_the_sign(step: tuple[int, int], codec: str, least: int, tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(12, 96, 160, step), codec, bf="2")
    # B-frames of MPEG-4 part 2 are among those without vectors: FFmpeg exports (0, 0) for their inferred ones.
    frames = vectors_of(path)
    assert len(frames) >= least
    for frame in frames:
        distance = usual(frame) @ step / np.dot(step, step)
        assert 0.9 < distance < 4.1
        np.testing.assert_allclose(usual(frame), np.multiply(step, distance), atol=0.3)


def test_the_motion_of_a_square_is_at_its_place(tmp_path: Path) -> None:
    still, path = panning(5, 128, 192, (0, 0)), square_path(5, (32, 32), (0, 8))
    for frame in vectors_of(encode(tmp_path / "clip.mp4", with_square(still, path, 64))):
        assert frame.displacement is not None
        top, left = path[frame.index]
        inside = frame.displacement[top // 16 : top // 16 + 4, -(-left // 16) : (left + 64) // 16]
        np.testing.assert_allclose(np.median(inside, axis=(0, 1)), (0, 8), atol=0.26)
        np.testing.assert_array_equal(usual(frame), (0, 0))


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_displacement_is_turned_to_the_display(matrix: Sequence[int], tmp_path: Path) -> None:
    a, b, c, d = matrix
    path = turn(encode(tmp_path / "clip.mp4", panning(3, 90, 150, (2, 4))), matrix)
    info, frames, _ = read(path)
    assert (info.height, info.width) == ((90, 150) if a else (150, 90))
    for frame in frames[1:]:
        assert (frame.height, frame.width) == (info.height, info.width)
        assert fields(frame)[1].shape == (-(-info.height // 16), -(-info.width // 16))  # type: ignore[union-attr]
        np.testing.assert_allclose(usual(frame), (4 * b + 2 * d, 4 * a + 2 * c), atol=0.26)


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())
def test_luma_is_turned_to_the_display(matrix: Sequence[int], tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(1, 90, 150, (0, 0)), qp="1")
    coded = pictures_of(path)[0]
    info, frames, _ = read(turn(path, matrix))
    turned = info.orientation
    backwards = turned.flip_x if turned.transpose else turned.flip_y
    expected = turned.picture(every_second_row(coded, -90 % 16 if backwards else 0))
    found = frames[0].luma
    assert found is not None
    rows, cols = (-(-n // 8) for n in expected.shape)
    for row, col in np.ndindex(rows, cols):
        square = expected[8 * row : 8 * row + 8, 8 * col : 8 * col + 8]
        assert found[row, col] == pytest.approx(np.nanmean(square), abs=0.01)


def every_second_row(coded: Array, offset: int) -> Array:
    """A picture in which only the rows that count are numbers, for squares of 8 that begin ``offset`` rows before it."""
    picture = np.full(coded.shape, np.nan)
    for start in range(-offset, len(coded), 8):
        rows = slice(max(start, 0), max(start + 8, 0), 2)
        picture[rows] = coded[rows]
    return picture


def pictures_of(path: Path) -> list[Array]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="yuv420p")[: frame.height] for frame in container.decode(video=0)]


def test_pictures_are_read_bit_by_bit(tmp_path: Path) -> None:
    path = encode(
        tmp_path / "clip.mp4", panning(4, 64, 96, (0, 4)), qp="1"
    )  # fine, so that there is nothing to deblock
    for frame, picture in zip(read(path)[1], pictures_of(path), strict=True):
        expected = picture.reshape(8, 8, 12, 8)[:, ::2].mean(axis=(1, 3))  # every second of eight rows
        np.testing.assert_allclose(frame.luma, expected, atol=0.01)


@pytest.mark.parametrize(
    ("codec", "suffix", "options"),
    [
        ("mpeg4", ".mp4", {"bf": "2"}),
        ("mpeg4", ".avi", {"flags": "+qpel"}),
        ("mpeg2video", ".mpg", {"bf": "2"}),
        ("mpeg2video", ".mpg", {"flags": "+ilme+ildct"}),
        ("mpeg1video", ".mpg", {"bf": "2"}),
        ("h263", ".3gp", {}),
        ("h263p", ".avi", {}),
        ("flv", ".flv", {}),
    ],
)
def test_small_pictures_are_like_whole_ones_and_vectors_are_the_same(
    codec: str, suffix: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = encode(tmp_path / f"clip{suffix}", panning(12, 144, 176, (2, 3)), codec, b="3000000", **options)
    with read_video(str(path), small_from=0) as opened:
        shrunk = [(frame.shrunk, frame.height, frame.width, len(frame.luma().samples)) for frame in opened.frames]
    assert shrunk == [(3, 144, 176, 18)] * 12
    with read_video(str(path)) as whole, read_video(str(path), small_from=0) as small:
        for frame, other in zip(whole.frames, small.frames, strict=True):
            (luma, chroma), (little, colour) = frame.planes(), other.planes()
            assert chroma is not None
            assert colour is not None
            for plane, coarse in ((luma, little), (chroma.cb, colour.cb), (chroma.cr, colour.cr)):
                rows, cols = coarse.samples.shape[0], coarse.width
                means = plane.samples[: 8 * rows, : 8 * cols].reshape(rows, 8, cols, 8).mean(axis=(1, 3))
                # Fine texture that moves by odd steps drifts from one key frame to the next.
                assert np.abs(means - coarse.samples[:, :cols]).mean() < (1 if frame.key_frame else 20)
            np.testing.assert_array_equal(frame.vectors(VECTOR), other.vectors(VECTOR))


def test_fine_cells_are_made_of_whole_pictures(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(2, 64, 96, (0, 4)), "mpeg4")
    coarse, fine = read(path)[1][0], read(path, cell=8)[1][0]
    assert coarse.luma is not None
    assert fine.luma is not None
    assert fine.luma.shape == (16, 24)
    np.testing.assert_allclose(fine.luma.reshape(8, 2, 12, 2).mean(axis=(1, 3)), coarse.luma, atol=2)


def test_key_frames_have_no_vectors(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(10, 96, 160), g="4")
    frames = read(path)[1]
    assert [frame.index for frame in frames if frame.key_frame] == [0, 4, 8]
    assert [frame.index for frame in frames if not frame.has_vectors] == [0, 4, 8]


@pytest.mark.parametrize("cell", [4, 8, "16", 32, 64, "auto"])
@pytest.mark.parametrize("size", [(96, 160), (100, 150), (34, 50)], ids=str)
def test_cells_have_the_side_that_was_asked_for(cell: Any, size: tuple[int, int], tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(3, *size, (0, 2)))
    side = (4 if size == (34, 50) else 16) if cell == "auto" else int(cell)
    for frame in vectors_of(path, cell=cell):
        assert frame.cell == side
        assert fields(frame)[1].shape == (-(-size[0] // side), -(-size[1] // side))  # type: ignore[union-attr]
        np.testing.assert_allclose(usual(frame), (0, 2), atol=0.5)


@pytest.mark.parametrize(
    ("size", "cell"),
    [((46, 96), 4), ((96, 46), 4), ((48, 96), 16), ((718, 736), 16), ((720, 736), 32), ((736, 720), 32)],
    ids=str,
)
def test_large_frames_have_larger_cells_and_small_ones_smaller(
    size: tuple[int, int], cell: int, tmp_path: Path
) -> None:
    path = encode(tmp_path / "clip.mp4", panning(2, *size), preset="ultrafast")
    assert {frame.cell for frame in read(path, luma=False)[1]} == {cell}


@pytest.mark.parametrize("cell", [0, -16, 5, 128, "big", 16.5, "16.0"])
def test_other_cells_are_refused(cell: Any) -> None:
    with pytest.raises(UsageError, match="codec option cell is"):
        sources.build("codec", {"cell": cell})


@pytest.mark.parametrize(("encoder", "codec", "ending"), [("libx265", "hevc", ".mkv"), ("libvpx-vp9", "vp9", ".webm")])
def test_codecs_without_vectors_are_named(encoder: str, codec: str, ending: str, tmp_path: Path) -> None:
    if encoder not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {encoder}")
    path = encode(tmp_path / f"clip{ending}", panning(4, 96, 160), encoder)
    with pytest.raises(NoMotionVectorsFailure, match=f"^{codec}: no motion vectors in 4 frames"):
        read(path)
    info, frames, facts = read(path, motion=False)
    assert (info.codec, len(frames), facts.vector_frames) == (codec, 4, 0)


def test_films_of_key_frames_only_have_no_vectors(tmp_path: Path) -> None:
    with pytest.raises(NoMotionVectorsFailure, match="h264: no motion vectors in 5 frames, 0 of them predicted"):
        read(encode(tmp_path / "clip.mp4", panning(5, 64, 96), g="1"))


def test_long_films_without_vectors_are_given_up_early(tmp_path: Path) -> None:
    if "libvpx-vp9" not in av.codecs_available:
        pytest.skip("this build of PyAV has no encoder libvpx-vp9")
    path = encode(tmp_path / "clip.webm", panning(60, 32, 48, (0, 1)), "libvpx-vp9", deadline="realtime")
    with pytest.raises(NoMotionVectorsFailure, match=r"no motion vectors in 3[34] frames"):
        read(path)


@pytest.mark.parametrize("name", ["sound.wav", "sound.mp4"])
def test_sound_has_no_video_stream(name: str, tmp_path: Path) -> None:
    with pytest.raises(NoVideoStreamFailure, match="no video stream; the file has streams: audio"):
        read(silence(tmp_path / name))


def test_empty_files_are_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.touch()
    with pytest.raises(OpenFailure, match="the file is empty"):
        read(path)


@pytest.mark.parametrize(("ending", "codec"), [(".mp4", "libx264"), (".mkv", "libx264"), (".avi", "mpeg4")])
def test_files_cut_short_keep_their_good_frames(ending: str, codec: str, tmp_path: Path) -> None:
    path = encode(tmp_path / f"clip{ending}", panning(30, 96, 160), codec, g="10")
    whole = read(path)[1]
    frames = read(cut_short(path, 0.85))[1]
    assert 8 <= len(frames) < 30
    # The last one or two may be damaged; before them nothing differs.
    for frame, good in zip(frames[:-2], whole, strict=False):
        assert (frame.index, frame.pts, frame.key_frame) == (good.index, good.pts, good.key_frame)
        np.testing.assert_array_equal(frame.displacement, good.displacement)


def test_files_cut_in_the_header_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises((OpenFailure, NoVideoStreamFailure)):
        read(cut_short(encode(tmp_path / "clip.mp4", panning(3, 64, 96)), 0.02))


@pytest.mark.parametrize("damaged", [0.3, 0.6])
def test_damaged_files_never_raise_anything_else(damaged: float, tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", panning(20, 96, 160), g="5")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    rng = np.random.default_rng(0)
    for place in rng.integers(start, len(data), int(damaged * 100)):
        data[place] ^= 1 << rng.integers(8)
    path.write_bytes(data)
    _, frames, facts = read(path)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert not any(frame.has_vectors and frame.corrupt for frame in frames)
    assert facts.num_frames == len(frames)
    assert facts.corrupt_frames + facts.lost_packets > 0


def test_a_film_of_one_frame_works(tmp_path: Path) -> None:
    _, frames, facts = read(encode(tmp_path / "clip.mp4", panning(1, 64, 96)))
    assert [(frame.index, frame.key_frame, frame.has_vectors) for frame in frames] == [(0, True, False)]
    assert (facts.num_frames, facts.vector_frames) == (1, 0)


def test_reading_twice_gives_the_same(plain: Path) -> None:
    assert_equal(read(plain), read(plain))


# Recorded.


def assert_equal(left: Clip, right: Clip) -> None:
    assert left[0] == right[0]
    assert dataclasses.replace(left[2], source="") == dataclasses.replace(right[2], source="")
    for one, other in zip(left[1], right[1], strict=True):
        for name, a, b in zip(FrameMotion._fields, one, other, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name)
            assert type(a) is type(b)


@pytest.mark.parametrize("block", [1, 3, FRAMES, 256])
def test_recordings_replay_what_was_there(block: int, plain: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(recorded, "_BLOCK", block)
    assert_equal(read(record(plain, tmp_path / "clip.motion"), "recorded"), read(plain))


def test_recordings_of_turned_films_remember_the_turn(tmp_path: Path) -> None:
    path = turn(encode(tmp_path / "clip.mp4", panning(3, 64, 96)), MATRICES["turned-90"])
    again = read(record(path, tmp_path / "clip.motion"), "recorded")
    assert again[0].orientation == Orientation(transpose=True, flip_x=True)
    assert_equal(again, read(path))


@pytest.mark.parametrize(("motion", "luma"), [(True, False), (False, True), (False, False)])
def test_what_was_not_recorded_is_not_there(motion: bool, luma: bool, plain: Path, tmp_path: Path) -> None:
    path = record(plain, tmp_path / "clip.motion", motion=motion, luma=luma)
    for frame in read(path, "recorded")[1]:
        assert [field is not None for field in fields(frame)] == [motion, motion, luma]


def rewrite(path: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Copy a recording member by member, each of them changed or left out."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


def header(**changes: Any) -> Callable[[str, bytes], bytes | None]:
    return lambda name, old: json.dumps(json.loads(old) | changes).encode() if name == "header.json" else old


def member(wanted: str, content: bytes | None) -> Callable[[str, bytes], bytes | None]:
    return lambda name, old: content if name.endswith(wanted) else old


def array(wanted: str, change: Callable[[Array], Array]) -> Callable[[str, bytes], bytes | None]:
    def changed(name: str, old: bytes) -> bytes:
        if not name.endswith(f"/{wanted}.npy"):
            return old
        return npy(change(np.load(io.BytesIO(old))))

    return changed


def npy(values: Array) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def poisoned(values: Array) -> Array:
    values[0, 0, 0] = np.nan
    return values


BAD_RECORDINGS = {
    "no-header": member("header.json", None),
    "header-is-no-json": member("header.json", b"{"),
    "header-is-no-text": member("header.json", b"\xff\xfe\x00"),
    "header-is-a-list": member("header.json", b"[]"),
    "other-format": header(format="mgmtool motion 99"),
    "no-facts": header(facts={}),
    "facts-are-text": header(facts="x"),
    "cell-is-text": header(cell="x"),
    "cell-is-zero": header(cell=0),
    "cell-is-another": header(cell=8),
    "no-height": member("/height.npy", None),
    "array-is-none": member("/displacement.npy", b"nothing"),
    "array-is-cut": member("/coverage.npy", b"\x93NUMPY\x01\x00v"),
    "array-of-objects": array("luma", lambda v: np.array([{}] * len(v), object)),
    "array-too-short": array("coverage", lambda v: v[:-1]),
    "scalars-too-short": array("pts", lambda v: v[:-1]),
    "too-few-cells": array("displacement", lambda v: v[:, :1, :1]),
    "too-few-squares": array("luma", lambda v: v[:, :-2]),
    "one-component": array("displacement", lambda v: v[..., 0]),
    "doubles": array("displacement", lambda v: v.astype(np.float64)),
    "not-a-number": array("coverage", poisoned),
    "picture-too-large": array("height", lambda v: v * 100),
    "picture-negative": array("width", lambda v: -v),
}


@pytest.mark.parametrize("change", BAD_RECORDINGS.values(), ids=BAD_RECORDINGS.keys())
def test_bad_recordings_cannot_be_opened(change: Any, given: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(OpenFailure):
        read(rewrite(given("recorded"), tmp_path / "bad.motion", change), "recorded")


@pytest.mark.parametrize("seed", range(20))
def test_damaged_recordings_fail_as_videos_do(seed: int, given: Callable[[str], Path], tmp_path: Path) -> None:
    data = bytearray(given("recorded").read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(0, len(data), 40):
        data[place] = rng.integers(256)
    path = tmp_path / "bad.motion"
    path.write_bytes(data)
    with pytest.raises(VideoError):
        read(path, "recorded")


def test_recordings_that_cannot_be_read_are_no_open_failures(tmp_path: Path, monkeypatch: Any) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    with pytest.raises(ReadFailure, match="cannot read the file: Permission denied"):
        read(tmp_path / "clip.motion", "recorded")


# All of them, at once.


def test_streams_are_read_lazily(plain: Path) -> None:
    with sources.build("codec").open(ref(plain), motion=True, luma=True) as stream:
        frames: Iterator[FrameMotion] = iter(stream.frames)
        assert next(frames).index == 0
        assert next(frames).index == 1


def test_warming_up_needs_no_video() -> None:
    sources.warm_up()


def test_the_clips_are_made_without_b_frames(plain: Path) -> None:
    assert X264["bf"] == "0"
    with av.open(str(plain)) as container:
        assert not any(frame.pict_type == av.video.frame.PictureType.B for frame in container.decode(video=0))


@pytest.mark.parametrize(
    "playlist",
    [
        pytest.param("ffconcat version 1.0\nfile other.mp4\n", id="concat"),
        pytest.param("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n", id="hls"),
    ],
)
def test_a_playlist_cannot_make_us_read_another_file(playlist: str, tmp_path: Path) -> None:
    encode(tmp_path / "other.mp4", panning(3, 96, 160, (0, 4)))
    (tmp_path / "list.mp4").write_text(playlist)
    with pytest.raises(OpenFailure, match="cannot be opened as a video"):
        read(tmp_path / "list.mp4")
