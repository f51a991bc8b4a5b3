"""Films that decode again, and files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.codec
import numpy as np
import pytest

from mgmtool.errors import MgmtoolError, OutputError, ReadFailure, UsageError
from mgmtool.video.encode import write_video, written_whole


def plain(count: int, height: int = 36, width: int = 52, colour: tuple[int, int, int] = (200, 120, 40)) -> list[Any]:
    return [np.full((height, width, 3), colour, np.uint8) for _ in range(count)]


def decode(path: Path) -> tuple[Any, list[Any]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        facts = (stream.codec_context.name, stream.codec_context.pix_fmt, stream.average_rate)
        return facts, [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]


@pytest.mark.parametrize("fps", [25, Fraction(30000, 1001), 12.5])
def test_a_film_decodes_again_with_the_same_frames(tmp_path: Path, fps: Any) -> None:
    write_video(tmp_path / "a.mp4", plain(7), fps)
    (codec, pixels, rate), pictures = decode(tmp_path / "a.mp4")
    assert (codec, pixels) == ("h264", "yuv420p")
    assert rate == Fraction(fps)
    assert len(pictures) == 7
    assert np.abs(pictures[3].astype(int) - (200, 120, 40)).max() <= 4


def test_odd_sizes_are_padded_with_the_edge(tmp_path: Path) -> None:
    picture = np.zeros((37, 51, 3), np.uint8)
    picture[-4:, :, :] = picture[:, -4:, :] = 255
    write_video(tmp_path / "a.mp4", [picture] * 2, 25)
    _, pictures = decode(tmp_path / "a.mp4")
    assert pictures[0].shape == (38, 52, 3)
    assert pictures[0][-1].min() > 200
    assert pictures[0][:, -1].min() > 200
    assert pictures[0][:28, :44].max() < 40


def test_without_x264_it_is_mpeg4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av.codec, "codecs_available", av.codec.codecs_available - {"libx264"})
    write_video(tmp_path / "a.mp4", plain(5), Fraction(24000, 1001))
    (codec, pixels, _), pictures = decode(tmp_path / "a.mp4")
    assert (codec, pixels, len(pictures)) == ("mpeg4", "yuv420p", 5)


def test_pictures_are_taken_one_at_a_time(tmp_path: Path) -> None:
    alive: list[int] = []

    def pictures() -> Iterator[Any]:
        for number in range(30):
            alive.append(number)
            yield np.full((32, 32, 3), number, np.uint8)

    source = pictures()
    next(source)
    write_video(tmp_path / "a.mp4", source, 25)
    assert alive == list(range(30))
    assert len(decode(tmp_path / "a.mp4")[1]) == 29


def failing(error: BaseException) -> Iterator[Any]:
    yield from plain(3)
    raise error


@pytest.mark.parametrize("error", [ReadFailure("the disk is gone"), RuntimeError("a bug"), KeyboardInterrupt()])
def test_a_failing_encode_leaves_no_file_and_keeps_the_old_one(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "a.mp4"
    with pytest.raises(type(error)) as raised:
        write_video(target, failing(error), 25)
    assert raised.value is error
    assert list(tmp_path.iterdir()) == []
    target.write_bytes(b"older")
    with pytest.raises(type(error)):
        write_video(target, failing(error), 25)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert target.read_bytes() == b"older"


def test_an_unwritable_target_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.mp4").mkdir()
    for name, why in (
        ("missing/a.mp4", "No such file or directory"),
        ("file/a.mp4", "Not a directory"),
        ("folder.mp4", "Is a directory"),
    ):
        with pytest.raises(OutputError) as raised:
            write_video(tmp_path / name, plain(2), 25)
        assert str(raised.value) == f"cannot write {tmp_path / name}: {why}"
        assert isinstance(raised.value, OSError)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder.mp4"]


@pytest.mark.parametrize(
    ("pictures", "fps", "message"),
    [
        ([], 25, "no picture to write to"),
        ([*plain(1), *plain(1, width=50)], 25, r"picture 1 has the shape \(36, 50, 3\); expected \(36, 52, 3\)"),
        (plain(1), 0, "frame rate is 0; expected"),
    ],
)
def test_unusable_pictures_are_an_error(tmp_path: Path, pictures: list[Any], fps: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        write_video(tmp_path / "a.mp4", pictures, fps)
    assert list(tmp_path.iterdir()) == []


def test_a_name_with_a_colon_is_a_file(tmp_path: Path) -> None:
    write_video(tmp_path / "concat:a 動画.mp4", plain(2), 25)
    assert [path.name for path in tmp_path.iterdir()] == ["concat:a 動画.mp4"]


def fill_disk(target: Path) -> None:
    with written_whole(target) as partial:
        partial.write_bytes(b"half")
        Path("/dev/full").write_bytes(b"x" * 100_000)


def test_a_full_disk_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No space left"):
        fill_disk(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_written_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    with written_whole(tmp_path / "a.png") as partial:
        assert not (tmp_path / "a.png").exists()
        partial.write_bytes(b"whole")
    assert (tmp_path / "a.png").read_bytes() == b"whole"
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_errors_of_mgmtool_pass_unchanged(tmp_path: Path) -> None:
    error = ReadFailure("the disk is gone")
    with pytest.raises(MgmtoolError) as raised, written_whole(tmp_path / "a.png"):
        raise error
    assert raised.value is error
