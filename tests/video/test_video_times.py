"""Presentation times where the container has none, open GOPs, several streams, and small frames."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from mgmtool.extraction.stream import whole_video
from mgmtool.types import DecodeOptions, ExtractSpec, FrameFlag, VideoRef
from mgmtool.video.reader import read_video
from support.base_clip import FRAMES, left_edge, remux, write_clip


def times_of(path: Path) -> list[int]:
    with read_video(str(path)) as opened:
        return [frame.pts for frame in opened.frames]


@pytest.mark.parametrize(
    ("codec", "options", "ending"),
    [
        ("libx264", {}, "asf"),
        ("mpeg2video", {"bf": "2"}, "wmv"),
        ("libx264", {}, "mxf"),
        ("mpeg4", {"bf": "2"}, "avi"),
        ("mpeg2video", {"bf": "2"}, "avi"),
    ],
)
def test_times_ascend_where_frames_are_reordered(
    codec: str, options: dict[str, str], ending: str, tmp_path: Path
) -> None:
    source = write_clip(tmp_path / ("a.mp4" if codec == "libx264" else "a.mkv"), codec, options)
    path = remux(source, tmp_path / f"b.{ending}", "h264_mp4toannexb" if codec == "libx264" else "")
    times = times_of(path)
    assert len(times) == FRAMES
    assert all(before < after for before, after in itertools.pairwise(times))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "flv", "mov"])
def test_true_times_stay_as_they_are(ending: str, tmp_path: Path) -> None:
    times = times_of(remux(write_clip(tmp_path / "a.mp4"), tmp_path / f"b.{ending}"))
    assert len(set(np.diff(times))) == 1


@pytest.mark.parametrize("codec", ["libx265", "libx264"])
@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_open_gops_are_an_index_risk(codec: str, is_open: bool, ending: str, tmp_path: Path) -> None:
    params = f"keyint=12:min-keyint=12:scenecut=0:bframes=3:b-adapt=0:open-gop={is_open:d}"
    log = ":log-level=none" if codec == "libx265" else ""
    path = write_clip(tmp_path / f"a.{ending}", codec, {f"{codec[3:]}-params": params + log})
    with read_video(str(path)) as opened:
        assert sum(1 for _ in opened.frames) == FRAMES
        assert ("open_gop" in opened.index_risk()) == is_open


def test_open_gops_of_mpeg_2_are_an_index_risk_too(tmp_path: Path) -> None:
    with read_video(str(write_clip(tmp_path / "a.mp4", "mpeg2video", {"bf": "2", "g": "12"}))) as opened:
        list(opened.frames)
        assert "open_gop" in opened.index_risk()


@pytest.mark.parametrize(
    ("streams", "number", "risk"), [(1, None, False), (2, None, True), (2, 1, True), (1, 0, False)]
)
def test_several_video_streams_are_an_index_risk(streams: int, number: int | None, risk: bool, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", streams=streams)
    with read_video(str(path), DecodeOptions(stream=number)) as opened:
        list(opened.frames)
        assert ("several_streams" in opened.index_risk()) == risk


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize(("height", "width"), [(24, 48), (32, 64), (34, 66), (44, 80)])
def test_the_box_follows_what_moves_in_small_frames(codec: str, height: int, width: int, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", codec, height=height, width=width)
    masks, facts = whole_video(VideoRef("a", str(path)), ExtractSpec())
    assert facts.info.height == height
    assert not (masks.flags & FrameFlag.FALLBACK).any()
    place = np.array([left_edge(number, FRAMES, height, width) for number in range(FRAMES)])
    middle = masks.box[:, [1, 3]].mean(axis=1)
    assert np.corrcoef(middle, place)[0, 1] > 0.6
