"""Pictures come out the right way up, and numbered as motion is."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mgmtool.errors import NoFramesFailure, OpenFailure
from mgmtool.video.counts import FrameCounts
from mgmtool.video.pictures import read_pictures
from mgmtool.video.reader import read_video
from support.moving import MATRICES, cut_short
from support.synthetic import MARKER, write_clip


@pytest.mark.parametrize("shown", MATRICES)
def test_every_orientation_comes_out_as_it_went_in(tmp_path: Path, shown: str) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=3, shown=shown)
    pictures = list(read_pictures(str(clip.path)))
    assert len(pictures) == 3
    for picture, truth in zip(pictures, clip.pictures, strict=True):
        assert picture.rgb.shape == truth.shape
        assert picture.rgb.dtype == np.uint8
        assert picture.rgb.flags.c_contiguous
        assert np.abs(picture.rgb.astype(int) - truth).mean() < 6


def test_marked_corner_of_a_turned_clip_is_at_the_top_left(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=1, shown="turned-90")
    picture = next(read_pictures(str(clip.path))).rgb
    inner = slice(4, MARKER - 4)
    red, blue = (
        picture[inner, inner].reshape(-1, 3).mean(axis=0),
        picture[inner, -MARKER + 4 : -4].reshape(-1, 3).mean(axis=0),
    )
    assert red[0] > 180 > 60 > red[2]
    assert blue[2] > 180 > 60 > blue[0]


@pytest.mark.parametrize(("codec", "bframes"), [("libx264", 0), ("libx264", 3), ("mpeg4", 2)])
def test_frames_are_numbered_as_for_motion(tmp_path: Path, codec: str, bframes: int) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=13, codec=codec, bframes=bframes)
    with read_video(str(clip.path)) as opened:
        seconds = [float(frame.pts * opened.info.time_base) for frame in opened.frames]
    pictures = list(read_pictures(str(clip.path)))
    assert [picture.index for picture in pictures] == list(range(len(seconds)))
    assert [picture.pts_seconds for picture in pictures] == seconds
    assert all(later > earlier for earlier, later in pairwise(seconds))


def test_a_damaged_file_has_the_same_frames_for_pictures_and_for_motion(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=24)
    data = bytearray(clip.path.read_bytes())
    start = data.index(b"mdat")
    rng = np.random.default_rng(0)
    for place in rng.integers(start + 600, len(data) - 2000, 12).tolist():
        data[place] ^= 0x55
    clip.path.write_bytes(data)
    counts = FrameCounts()
    indices = [picture.index for picture in read_pictures(str(clip.path), counts=counts)]
    with read_video(str(clip.path)) as opened:
        motion = sum(1 for _ in opened.frames)
    assert indices == list(range(motion))
    assert counts.frames == motion
    assert counts.corrupt_frames + counts.lost_packets > 0


def test_only_wanted_frames_are_converted_but_all_are_counted(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=10)
    counts, asked = FrameCounts(), []

    def wanted(index: int) -> bool:
        asked.append(index)
        return index in {2, 7}

    pictures = list(read_pictures(str(clip.path), wanted, counts))
    assert [picture.index for picture in pictures] == [2, 7]
    assert asked == list(range(10))
    assert counts.frames == 10
    everything = list(read_pictures(str(clip.path)))
    assert np.array_equal(pictures[1].rgb, everything[7].rgb)


def test_pictures_stay_after_the_next_is_read(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=4)
    pictures = read_pictures(str(clip.path))
    first = next(pictures)
    copy = first.rgb.copy()
    list(pictures)
    assert np.array_equal(first.rgb, copy)


def test_what_is_no_video_is_a_video_error(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=2)
    with pytest.raises(OpenFailure):
        next(read_pictures(str(cut_short(clip.path, 0.5))))
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(OpenFailure):
        next(read_pictures(str(tmp_path / "empty.mp4")))


def test_a_film_whose_every_frame_is_destroyed_has_no_frames(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=3)
    data = bytearray(clip.path.read_bytes())
    start = data.index(b"mdat") + 4
    stop = data.index(b"moov") - 4
    data[start:stop] = b"\xff" * (stop - start)
    clip.path.write_bytes(data)
    with pytest.raises(NoFramesFailure, match="not one frame could be decoded: Invalid data"):
        next(read_pictures(str(clip.path)))
