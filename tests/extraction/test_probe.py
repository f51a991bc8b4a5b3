"""``mgmtool probe``: what is told of each file beforehand, and that it comes true."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mgmtool import engines, video
from mgmtool.errors import UsageError
from mgmtool.extraction import prepare
from mgmtool.extraction.probing import FRAMES, CorpusTotals, Probe, probe, probe_video
from mgmtool.types import DecodeOptions, ExtractSpec, VideoRef
from support import crafted, tiny_videos
from support.calling import Call
from support.moving import MATRICES, turn


@pytest.fixture
def call(call: Call) -> Call:
    return partial(call, "probe", "--engine", "inline")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films with vectors, one without, one that is turned, and three that are none."""
    folder = tiny_videos.write_mixed(tmp_path_factory.mktemp("corpus"), 2)
    (folder / "lossless.mkv").write_bytes(tiny_videos.clip(codec="ffv1", container="matroska"))
    turn(crafted.encode(folder / "turned.mp4", [(48, 64)], aspect=Fraction(4, 3)), MATRICES["turned-90"])
    return folder


def look(path: Path, **reading: Any) -> Probe:
    return probe_video(VideoRef(path.name, str(path), path.stat().st_size), DecodeOptions(**reading))


def events(out: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    *videos, summary = map(json.loads, out.splitlines())
    return videos, summary


def test_a_film_with_vectors(corpus: Path) -> None:
    one = look(corpus / "0.mp4")
    assert one.peek is not None
    assert (one.vectors, one.source, one.source_reason, one.failure) == (True, "codec", "vectors in frame 1", None)
    assert (one.peek.header.profile, one.peek.header.pixel_format) == ("High", "yuv420p")
    assert one.peek.header.seconds == pytest.approx(0.48)
    assert (one.peek.info.codec, one.peek.info.header_frames, one.frames) == ("h264", 12, 12)
    assert one.peek.index_risk == ()


def test_a_film_without_vectors_is_to_be_encoded_again(corpus: Path) -> None:
    one = look(corpus / "lossless.mkv")
    assert (one.vectors, one.source, one.failure) == (False, "reencode", None)
    assert one.frames == 12  # by duration and rate: this header has no count


def test_what_auto_takes_is_what_was_foretold(corpus: Path, tmp_path: Path) -> None:
    engine = engines.build("inline")
    foretold = {one.video.id: one for one in probe([str(corpus)], engine)}
    spec = ExtractSpec(scheme="motion-literal", source="auto")
    for outcome in prepare([str(corpus)], tmp_path / "m.zarr", spec, engine).outcomes():
        one = foretold[outcome.video.id]
        assert (one.failure, one.message) == (outcome.failure, outcome.message)
        if outcome.facts is not None and one.peek is not None:
            assert (one.source, one.source_reason) == (outcome.facts.source, outcome.facts.source_reason)
            assert (one.peek.info, one.peek.index_risk) == (outcome.facts.info, outcome.facts.index_risk)


@pytest.mark.parametrize(("name", "failure"), tiny_videos.NOT_VIDEOS.items())
def test_what_is_no_film_has_its_failure(corpus: Path, name: str, failure: str) -> None:
    one = look(corpus / name)
    assert (one.failure, one.peek, one.source) == (failure, None, None)


def test_only_the_first_frames_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = tiny_videos.write_clips(tmp_path, 1, frames=FRAMES + 20)
    counted = 0
    count = video.counts.FrameCounts.count_frame

    def counting(*given: Any) -> None:
        nonlocal counted
        counted += 1
        count(*given)

    monkeypatch.setattr(video.counts.FrameCounts, "count_frame", counting)
    one = look(path)
    assert one.failure is None
    assert counted <= FRAMES + 3
    assert one.frames == FRAMES + 20


def test_damage_in_the_first_frames_is_told_where_it_is_strict(tmp_path: Path) -> None:
    path = crafted.damaged(tmp_path / "a.mp4")
    assert look(path).failure is None
    strict = look(path, strict=True)
    assert strict.failure == "decode"
    assert "(--strict)" in str(strict.message)


def test_limits_and_streams_hold(tmp_path: Path) -> None:
    path = crafted.encode(tmp_path / "a.mp4", [(48, 64), (32, 96)])
    second = look(path, stream=1)
    assert second.peek is not None
    assert second.peek.info.width == 96
    assert look(path, max_pixels=100).failure == "open"
    assert look(path, stream=3).failure == "no_video_stream"


def test_risks_of_a_transport_stream(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(tiny_videos.clip(container="mpegts"))
    one = look(tmp_path / "a.ts")
    assert one.peek is not None
    assert "transport_stream" in one.peek.index_risk


def test_totals_add_up(corpus: Path) -> None:
    totals = CorpusTotals()
    for one in probe([str(corpus)], "inline"):
        totals.add(one)
    assert totals.failures == {"open": 2, "no_video_stream": 1}
    h264 = totals.codecs["h264"]
    assert (h264.videos, h264.frames, h264.sources) == (3, 12 + 13 + 6, {"codec": 3})
    assert h264.bytes == sum((corpus / name).stat().st_size for name in ("0.mp4", "1.mp4", "turned.mp4"))
    assert h264.seconds == pytest.approx(31 / 25, abs=0.05)
    assert totals.codecs["ffv1"].sources == {"reencode": 1}


def test_processes_tell_the_same(corpus: Path) -> None:
    assert list(probe([str(corpus)], engines.build("local", {"workers": 2}))) == list(probe([str(corpus)], "inline"))


# --- the command --------------------------------------------------------------------------------------------------------


def test_json_is_one_object_a_file_and_a_summary(call: Call, corpus: Path) -> None:
    code, out, err = call(corpus, "--json")
    videos, summary = events(out)
    assert (code, err) == (3, "")
    assert [event["id"] for event in videos] == sorted(path.name for path in corpus.iterdir())
    assert len({tuple(event) for event in videos}) == 1  # the same keys in each
    by_id = {event["id"]: event for event in videos}
    turned = by_id["turned.mp4"]
    assert (turned["height"], turned["width"], turned["rotation"], turned["pixel_aspect"]) == (64, 48, 90, [3, 4])
    assert by_id["lossless.mkv"]["source"] == "reencode"
    assert by_id["text.mp4"]["codec"] is None
    assert by_id["text.mp4"]["failure"] == "open"
    assert summary["failures"] == {"no_video_stream": 1, "open": 2}
    assert summary["codecs"]["h264"]["videos"] == 3
    assert (summary["readable"], summary["failed"]) == (4, 3)


def test_the_table_names_every_file_and_sums_up(call: Call, corpus: Path) -> None:
    code, out, _ = call(corpus)
    assert code == 3
    assert all(path.name in out for path in corpus.iterdir())
    assert "h264 High in mov" in out
    assert "48x64 yuv420p turned 90 pixels 3:4" in out
    assert "codec 3" in out
    assert "3 cannot be read (2 open, 1 no_video_stream)" in out


def test_a_narrow_terminal_cuts_nothing_off(call: Call, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    monkeypatch.setattr("mgmtool.cli.console.rich_stdout", lambda: Console(width=50, highlight=False))
    out = call(corpus)[1]
    assert max(map(len, out.splitlines())) <= 50
    assert "…" not in out
    assert "".join(out.split()).count("h264") >= 3
    assert {"0.mp4", "lossless.mkv", "empty.mp4"} <= set(out.splitlines())  # names stand alone


def test_good_files_are_0(call: Call, corpus: Path) -> None:
    code, out, _ = call(corpus / "0.mp4", corpus / "1.mp4")
    assert code == 0
    assert "cannot be read" not in out


def test_paths_come_from_stdin_too(call: Call, corpus: Path) -> None:
    listed = b"\0".join(os.fsencode(corpus / name) for name in ("0.mp4", "gone.mp4"))
    code, out, _ = call("-", "-0", "--root", corpus, "--json", stdin=listed)
    videos, _ = events(out)
    assert code == 3
    assert [(event["id"], event["failure"]) for event in videos] == [("0.mp4", None), ("gone.mp4", "open")]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "no INPUT given"),
        (["/no/such/place"], 1, "no such file or folder"),
        (["-0", "."], 2, "-0 is for a list on stdin"),
        (["--max-pixels", "0", "."], 2, "0 is not in the range"),
        (["--stream", "-1", "."], 2, "-1 is not in the range"),
        (["--workers", "2", "."], 2, "inline has no option 'workers'"),
        (["--retries", "2", "."], 2, "inline has no option 'retries'"),
        (["--worker-memory", "4GB", "."], 2, "inline has no option 'worker_memory'"),
    ],
)
def test_wrong_usage(call: Call, arguments: list[str], code: int, words: str) -> None:
    ended, out, err = call(*arguments)
    assert (ended, out) == (code, "")
    assert words in err


def test_an_unknown_engine_is_refused(corpus: Path) -> None:
    with pytest.raises(UsageError, match="unknown engine"):
        probe([str(corpus)], "cluster")
