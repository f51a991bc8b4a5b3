"""What a run tells while it goes on and what it leaves behind: progress, events, log, record, dry run, profile, signals."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from mgmtool import engines, profiling
from mgmtool.cli import main
from mgmtool.cli.console import Bar, Plain, Progress
from mgmtool.cli.exits import Terminated, signals_stop
from mgmtool.cli.log import Log
from mgmtool.cli.words import duration
from mgmtool.errors import StoreWriteError
from mgmtool.extraction import estimate, extract, known_bytes, plan, prepare
from mgmtool.extraction.stream import warm_up
from mgmtool.store import Store, StoreWriter
from mgmtool.types import ExtractSpec, PatchGrid, Resume, Shard, VideoRef
from support import foreign, stores, tiny_videos
from support.calling import Call
from support.driving import wait_for

PROGRAM = [sys.executable, "-c", "from mgmtool.cli import main; main()"]
SMALL = ["--grid", "4x6", "--energy-grid", "3x4", "--part-videos", "2"]
SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=2)
INLINE = engines.build("inline")
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO|WARNING|ERROR) .+")


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    warm_up(ExtractSpec())


@pytest.fixture
def grab(call: Call, tmp_path: Path) -> Iterator[Call]:
    """Run a small ``extract`` in this process, into ``m.zarr``, which leaves the handlers of signals as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield partial(call, "extract", "--engine", "inline", *SMALL, "-o", tmp_path / "m.zarr")
    assert {number: signal.getsignal(number) for number in before} == before


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten films that are long enough to be measured."""
    folder = tmp_path_factory.mktemp("films")
    content = tiny_videos.clip(300)
    for number in range(10):
        (folder / f"{number}.mp4").write_bytes(content)
    return folder


def records(store: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((store / "runs").iterdir())]


# --- progress -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (61, "1 min 01 s"),
        (3661, "1 h 01 min"),
        (100_000, "27 h 46 min"),
        (180_000, "2 d 2 h"),
    ],
)
def test_a_time_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still unless moved."""
    now = [100.0]
    monkeypatch.setattr("mgmtool.cli.console.monotonic", lambda: now[0])
    return now


def test_time_left_goes_by_bytes_where_sizes_are_known(clock: list[float]) -> None:
    by_bytes, by_videos = Progress(10, 100_000), Progress(10)
    clock[0] += 10
    for progress in (by_bytes, by_videos):
        progress.advance(frames=100, size=50_000)
    assert by_bytes.left() == pytest.approx(10)
    assert by_videos.left() == pytest.approx(90)
    assert by_bytes.line() == "1/10 videos, 0 failed, 0.1 videos/s, 10 frames/s, 0.005 MB/s, about 10 s left"
    assert by_videos.line() == "1/10 videos, 0 failed, 0.1 videos/s, 10 frames/s, about 1 min 30 s left"


def test_time_left_is_unknown_before_the_first_video(clock: list[float]) -> None:
    progress = Progress(10, 1000)
    clock[0] += 95
    assert progress.line().endswith("none for 1 min 35 s, time left unknown")


def test_plain_lines_come_also_while_nothing_ends(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    progress = Plain(10, 1000)
    for _ in range(20):
        clock[0] += 5
        progress.pulse()
    assert len(capsys.readouterr().err.splitlines()) == 3


def all_of(master: int) -> str:
    """What was written to a terminal whose other end is closed; one read may give a piece of it."""
    seen = b""
    with suppress(OSError):  # the end, as Linux says it
        while piece := os.read(master, 100_000):
            seen += piece
    os.close(master)
    return seen.decode()


@pytest.mark.parametrize("columns", [40, 60, 100, 200])
def test_the_bar_fits(clock: list[float], columns: int) -> None:
    master, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (24, columns))
    before, sys.stderr = sys.stderr, os.fdopen(terminal, "w")
    try:
        with Bar(12_000, 12_000_000) as bar:
            clock[0] += 10
            for _ in range(99):
                bar.advance(frames=100, size=1000)
            bar.advance(failed=True, size=1000)
            bar.pulse()
        sys.stderr.close()
    finally:
        sys.stderr = before
    seen = all_of(master)
    line = next(part for part in reversed(seen.replace("\n", "\r").split("\r")) if "100/12000" in part)
    assert len(line) <= columns
    if columns >= 60:
        assert "1 failed" in line
        assert "min" in line
    assert ("videos/s" in line, "MB/s" in line) == (columns >= 100, columns == 200)


def test_a_terminal_that_is_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("click.echo", gone)
    Progress(1).say("anybody there?")


def test_sizes_are_known_if_nearly_all_are() -> None:
    some = [VideoRef(str(n), "", 10) for n in range(9)]
    assert known_bytes([*some, VideoRef("9", "")]) == 90
    assert known_bytes([*some[:5], VideoRef("9", "")]) is None


# --- events and log -----------------------------------------------------------------------------------------------------


def test_events_of_a_run(grab: Call, mixed: Path, tmp_path: Path) -> None:
    ended = grab(mixed, "--json")
    (start,), parts, (summary,) = ended.events("start"), ended.events("part"), ended.events("summary")
    size = sum(path.stat().st_size for path in mixed.iterdir())
    assert ended.events()[0] == start
    assert start.pop("versions").keys() >= {"mgmtool", "python", "numpy", "numba", "pyav", "libavcodec", "zarr"}
    assert start == {
        "event": "start", "output": str(tmp_path / "m.zarr"), "videos": 7, "remaining": 7, "skipped": {}, "size_bytes": size,
        "shard": "0/1", "engine": "inline", "workers": 1,
    }  # fmt: skip
    assert [(part["number"], part["videos"], part["num_frames"]) for part in parts] == [
        (0, 2, 25), (1, 2, 29), (2, 2, 0), (3, 1, 0),
    ]  # fmt: skip
    assert sum(video["size_bytes"] for video in ended.events("video")) == summary["size_bytes"] == size
    assert summary["cpu_seconds"]["workers"] > 0
    assert summary["videos_per_second"] > 0


def test_the_log_tells_what_happened(grab: Call, mixed: Path, tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    shutil.copy(mixed / "0.mp4", tmp_path / "v" / "0.mp4")
    (tmp_path / "v" / "\x1b[2Jevil\nname.mp4").write_bytes(b"")
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    grab(tmp_path / "v", "--log-file", log, "-q")
    first, *lines = log.read_text("utf-8").splitlines()
    assert first == "before"
    assert all(LINE.fullmatch(line) for line in lines)
    text = "\n".join(lines)
    assert "\x1b" not in text
    for words in (
        "start on ",
        "numpy ",
        "2 of 2 videos to do",
        "ERROR failed (open)",
        "evil",
        "INFO part 0 committed: 2 videos",
    ):
        assert words in text
    assert "INFO end: 1 done, 1 failed (1 open), 12 frames; " in lines[-1]


def test_the_log_names_changed_videos(grab: Call, tmp_path: Path) -> None:
    (path,) = tiny_videos.write_clips(tmp_path / "v", 1)
    grab(tmp_path / "v")
    os.utime(path, (1, 1))
    grab(tmp_path / "v", "--log-file", tmp_path / "log", "-q")
    assert "WARNING 1 videos have changed since they were extracted: 0.mp4" in (tmp_path / "log").read_text()


def test_the_log_says_what_was_wrong(grab: Call, mixed: Path, tmp_path: Path) -> None:
    assert grab(mixed, "--log-file", tmp_path / "log", "--scheme", "tubes").code == 2
    assert "ERROR unknown scheme 'tubes'" in (tmp_path / "log").read_text()


def test_a_log_that_cannot_be_opened_is_2(grab: Call, mixed: Path, tmp_path: Path) -> None:
    ended = grab(mixed, "--log-file", tmp_path / "no" / "log")
    assert ended.code == 2
    assert "log' cannot be opened: No such file or directory" in ended.err
    assert not (tmp_path / "m.zarr").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_log_that_can_no_longer_be_written_stops_nothing(grab: Call, mixed: Path) -> None:
    ended = grab(mixed, "--log-file", "/dev/full")
    assert ended.code == 3
    assert ended.err.count("the log file can no longer be written") == 1


def test_the_log_shows_progress_every_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgmtool.cli.log._PROGRESS_SECONDS", 0.0)
    with Log(tmp_path / "log") as log:
        log.progress(lambda: "half way")
    assert (tmp_path / "log").read_text().endswith("INFO half way\n")


# --- the record of a run ------------------------------------------------------------------------------------------------


def test_the_record_of_a_run(grab: Call, mixed: Path, tmp_path: Path) -> None:
    grab(mixed)
    (path,) = (tmp_path / "m.zarr" / "runs").iterdir()
    assert re.fullmatch(rf"\d{{8}}T\d{{6}}\.\d{{6}}Z-.+-{os.getpid()}\.json", path.name)
    (record,) = records(tmp_path / "m.zarr")
    assert record["status"] == "finished"
    assert record["inputs"] == {"count": 1, "first": [str(mixed)]}
    assert record["engine"] == {"name": "inline", "options": {}}
    assert record["failures"] == {"no_video_stream": 1, "open": 2}
    expected = {
        "videos": 7, "remaining": 7, "done": 4, "failed": 3, "parts": 4, "num_frames": 54, "shard": "0/1", "changed": 0,
        "pid": os.getpid(), "earlier": {},
    }  # fmt: skip
    assert record.items() >= expected.items()
    assert record["cpu_seconds"]["workers"] > 0
    assert record["started"] <= record["ended"]
    assert "profile" not in record


def test_a_run_with_nothing_to_do_leaves_none(grab: Call, mixed: Path, tmp_path: Path) -> None:
    grab(mixed)
    grab(mixed)
    assert len(records(tmp_path / "m.zarr")) == 1


def test_python_leaves_a_record_too_and_says_running_meanwhile(mixed: Path, tmp_path: Path) -> None:
    with closing(extract([str(mixed)], tmp_path / "m.zarr", SPEC, "inline")) as outcomes:  # type: ignore[type-var]
        next(outcomes)
        assert [record["status"] for record in records(tmp_path / "m.zarr")] == ["running"]
    (record,) = records(tmp_path / "m.zarr")
    assert (record["status"], record["parts"]) == ("stopped", 0)
    assert record["inputs"]["first"] == [str(mixed)]


def test_too_many_failures_are_recorded_as_stopped(grab: Call, mixed: Path, tmp_path: Path) -> None:
    assert grab(mixed, "--max-failures", 0).code == 4
    assert records(tmp_path / "m.zarr")[0]["status"] == "stopped"


def test_a_failed_run_is_recorded_with_its_error(
    grab: Call, mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    assert grab(mixed).code == 1
    (record,) = records(tmp_path / "m.zarr")
    assert record["status"] == "failed"
    assert "No space left on device" in record["error"]


def test_a_record_that_cannot_be_written_is_a_warning(
    mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> None:
        raise StoreWriteError("no room for notes")

    monkeypatch.setattr(StoreWriter, "note", refuse)
    with caplog.at_level(logging.WARNING):
        assert len(list(extract([str(mixed)], tmp_path / "m.zarr", SPEC, "inline"))) == 7
    assert "no room for notes" in caplog.text


def test_info_names_the_last_run(grab: Call, mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grab(mixed)
    with pytest.raises(SystemExit):
        main(["info", str(tmp_path / "m.zarr"), "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert (facts["runs"], facts["last_run"]["status"]) == (1, "finished")


# --- dry run ------------------------------------------------------------------------------------------------------------


def test_a_dry_run_makes_nothing(grab: Call, mixed: Path, tmp_path: Path) -> None:
    ended = grab(mixed, "--dry-run")
    assert ended.code == 0
    assert list(tmp_path.iterdir()) == []
    assert "7 videos in 4 parts" in ended.out
    assert "7 videos, 3 failed, 54 frames in " in ended.out
    assert "about " in ended.out


def test_a_dry_run_leaves_a_store_as_it_is(grab: Call, mixed: Path, tmp_path: Path) -> None:
    grab(mixed, "--limit", 3)
    (tmp_path / "m.zarr" / "part-00077").mkdir()  # litter, which a run would remove
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    (event,) = grab(mixed, "--dry-run", "--json", "--retry-failed").events()
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before
    assert event.items() >= {"event": "plan", "videos": 7, "remaining": 4, "earlier": {"done": 3, "failed": 0}}.items()
    (event,) = grab(mixed, "--dry-run", "--json", "--overwrite").events()
    assert (event["remaining"], event["earlier"]) == (7, {"done": 0, "failed": 0})
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


def test_a_dry_run_plans_what_a_run_does(mixed: Path, tmp_path: Path) -> None:
    for shard in (Shard(0, 2), Shard(1, 2)):
        how = Resume(shard=shard)
        planned = plan([str(mixed)], tmp_path / "m.zarr", SPEC, resume=how)
        ready = prepare([str(mixed)], tmp_path / "m.zarr", SPEC, INLINE, resume=how)
        assert planned.parts == ready.parts
        list(ready.outcomes())
        assert plan([str(mixed)], tmp_path / "m.zarr", SPEC, resume=how).parts == []
    again = plan([str(mixed)], tmp_path / "m.zarr", SPEC, resume=Resume(retry_failed=True))
    assert [video.id for video in again.videos()] == ["audio.mp4", "empty.mp4", "text.mp4"]


def test_a_dry_run_with_nothing_to_do(grab: Call, mixed: Path) -> None:
    grab(mixed)
    (event,) = grab(mixed, "--dry-run", "--json").events()
    assert (event["remaining"], event["estimate"]) == (0, None)
    assert "0 videos in 0 parts" in grab(mixed, "--dry-run").out


def test_a_dry_run_refuses_what_a_run_refuses(grab: Call, mixed: Path) -> None:
    grab(mixed)
    ended = grab(mixed, "--dry-run", "--ratio", "0.5")
    assert ended.code == 1
    assert "made with ratio=0.75" in ended.err


def test_an_estimate_counts_frames_right_and_knows_the_size(films: Path, tmp_path: Path) -> None:
    spec = dataclasses.replace(SPEC, part_videos=10)
    found = estimate(plan([str(films)], tmp_path / "m.zarr", spec).videos(), spec)
    assert found is not None
    assert (found.videos, found.frames, found.all_frames) == (8, 2400, 3000)
    list(extract([str(films)], tmp_path / "m.zarr", spec, "inline"))
    stored = sum(Store.open(tmp_path / "m.zarr").array_bytes().values())
    assert 0.7 < found.store_bytes / stored < 1.5


def test_an_estimate_keeps_to_its_budget_and_to_a_part_of_a_long_video(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mgmtool.extraction.stream.CHUNK_FRAMES", 50)
    monkeypatch.setattr("mgmtool.extraction.stream.LOOKAHEAD", 10)
    videos = plan([str(films)], tmp_path / "m.zarr", SPEC).videos()
    found = estimate(videos, SPEC, budget=0.0)
    assert found is not None
    assert (found.videos, found.frames, found.all_frames) == (1, 50, 3000)


def test_an_estimate_of_bad_videos_says_so(grab: Call, tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "a.mp4").write_bytes(b"nothing")
    assert "none: of 1 videos that were tried, no frame could be read" in grab(tmp_path / "v", "--dry-run").out


# --- profile ------------------------------------------------------------------------------------------------------------


def test_stages_count_their_own_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0]
    monkeypatch.setattr(profiling, "perf_counter", lambda: now[0])

    def spend(seconds: int) -> None:
        now[0] += seconds

    def fail_after(seconds: int) -> NoReturn:
        spend(seconds)
        raise LookupError

    def inner() -> Iterator[int]:
        for number in range(3):
            spend(100)
            yield number

    def outer() -> Iterator[int]:
        for number in profiling.timed(inner(), "inner"):
            spend(10)
            yield number

    with profiling.measured() as seconds:
        for _ in profiling.timed(outer(), "outer"):
            spend(1000)  # nobody's
        with profiling.stage("last"):
            spend(1)
    assert seconds == {"inner": 300, "outer": 30, "last": 1}
    with pytest.raises(LookupError), profiling.measured() as seconds, profiling.stage("broken"):
        fail_after(7)
    assert seconds == {"broken": 7}


def test_a_clock_that_is_off_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "perf_counter", pytest.fail)
    items = iter(())
    assert profiling.timed(items, "x") is items
    with profiling.stage("x"):
        assert profiling.stage("x") is profiling.stage("y")  # one and the same, which is entered for nothing


def test_a_profile_changes_no_mask_and_adds_up(films: Path, tmp_path: Path) -> None:
    list(prepare([str(films)], tmp_path / "off.zarr", SPEC, INLINE).outcomes())
    job = prepare([str(films)], tmp_path / "on.zarr", SPEC, INLINE, profile=True)
    outcomes = list(job.outcomes())
    stores.assert_same(tmp_path / "off.zarr", tmp_path / "on.zarr")
    seconds, known = sum(o.seconds for o in outcomes), sum(sum(o.stages.values()) for o in outcomes)
    assert 0.8 * seconds <= known <= 1.001 * seconds
    assert set(outcomes[0].stages) == {"fetch", "open", "decode", "reduce", "evidence", "energy", "place", "journal"}
    driver = job.totals.clock.seconds
    assert set(driver) == {"wait", "append", "commit"}
    assert seconds <= driver["wait"] <= job.totals.wall
    (record,) = records(tmp_path / "on.zarr")
    assert sum(stage["share"] for stage in record["profile"]["workers"].values()) == pytest.approx(1, abs=0.01)
    assert sum(stage["share"] for stage in record["profile"]["driver"].values()) == pytest.approx(1, abs=0.01)


def test_the_profile_of_workers_comes_back(mixed: Path, tmp_path: Path) -> None:
    job = prepare([str(mixed)], tmp_path / "m.zarr", SPEC, engines.build("local", {"workers": 2}), profile=True)
    list(job.outcomes())
    assert job.totals.stages["decode"] > 0


def test_the_profile_is_a_table_on_stderr_and_in_the_summary(grab: Call, mixed: Path) -> None:
    ended = grab(mixed, "--profile", "--json")
    (summary,) = ended.events("summary")
    assert summary["profile"]["workers"]["decode"].keys() == {"seconds", "share", "us_per_frame"}
    table = [line for line in ended.err.splitlines() if not line.startswith("failed")]
    assert table[0].split() == ["stage", "seconds", "share", "µs", "per", "frame"]
    assert [line.split()[-4] for line in table[1:]][:3] == ["fetch", "open", "decode"]
    assert max(map(len, table)) <= 100


# --- signals ------------------------------------------------------------------------------------------------------------


HANGING = '''
"""Waits for somebody to write to the pipe PIPE before it opens a video named 1."""

import os
from dataclasses import dataclass

from mgmtool.errors import OpenFailure
from mgmtool.sources.codec import Codec


@dataclass(frozen=True)
class Hanging(Codec):
    """Waits."""

    def open(self, video, **asked):
        if video.path.endswith("1.mp4"):
            open(os.environ["PIPE"], "rb").close()
            raise OpenFailure("somebody has written")
        return super().open(video, **asked)
'''


@pytest.fixture
def hung(mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two videos, and a source of another package that hangs while it opens the second."""
    (tmp_path / "v").mkdir()
    for name in ("0.mp4", "1.mp4"):
        shutil.copy(mixed / "0.mp4", tmp_path / "v" / name)
    entry_points = "[mgmtool.sources]\nhanging = hanging:Hanging\n"
    package = foreign.install(tmp_path / "package", entry_points, "hanging", {"hanging": HANGING})
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(os.path.abspath, paths)))
    monkeypatch.setenv("PIPE", str(tmp_path / "pipe"))
    os.mkfifo(tmp_path / "pipe")
    return [str(tmp_path / "v" / "0.mp4"), str(tmp_path / "v" / "1.mp4"), "--source", "hanging"]


def start(arguments: list[object], code: str = "", **options: Any) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-c", f"{code}\nfrom mgmtool.cli import main; main()"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
    return subprocess.Popen([*program, *map(str, arguments)], start_new_session=True, **pipes)


@pytest.mark.parametrize(
    ("number", "code", "status"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "terminated"),
    ],
)
def test_a_signal_ends_a_run_with_a_hung_worker(
    hung: list[str], tmp_path: Path, number: int, code: int, status: str
) -> None:
    store, log = tmp_path / "m.zarr", tmp_path / "log"
    process = start(["extract", *hung, "-o", store, *SMALL, "--workers", 2, "--json", "--log-file", log])
    assert process.stdout is not None
    assert [json.loads(process.stdout.readline())["event"] for _ in range(2)] == ["start", "video"]
    process.send_signal(number)
    _, err = process.communicate(timeout=120)  # the worker itself would never end
    assert process.returncode == code
    assert err.decode().startswith("stopping: finished videos are kept; press Ctrl-C again to stop at once\n")
    assert (
        err.decode()
        .splitlines()[-1]
        .endswith(f"{status}; 1 finished video is kept, run the same command again to resume")
    )
    assert [record["status"] for record in records(store)] == [status]
    assert [path.name for path in (store / ".writing" / "part-00000").iterdir() if path.name.startswith("grown")] == []
    text = log.read_text()
    assert f"WARNING {signal.Signals(number).name}: stopping" in text
    assert "so far: 1 done, 0 failed, 12 frames" in text


def test_a_second_signal_ends_a_clean_up_that_hangs(hung: list[str], tmp_path: Path) -> None:
    code = (
        "import time\nfrom mgmtool.engines._pool import Pool\n"
        "Pool.close = lambda pool: (print('closing', flush=True), time.sleep(3600))"
    )
    process = start(["extract", *hung, "-o", tmp_path / "m.zarr", *SMALL, "--workers", 2, "--json"], code)
    assert process.stdout is not None
    assert [json.loads(process.stdout.readline())["event"] for _ in range(2)] == ["start", "video"]
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == b"closing\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)  # the pipes are closed once the workers are gone, too
    assert process.returncode == 130


def test_signals_do_what_they_did_after_a_run() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with signals_stop(True, str):
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize(("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_an_error_of_a_signal_that_was_dropped_is_raised_again(number: int, kind: type[BaseException]) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with signals_stop(True, str) as stop:
            stop.check()
            with suppress(kind):  # as code in C does that asks for an attribute, or for a key of a dictionary
                signal.raise_signal(number)
            with pytest.raises(kind):
                stop.check()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_nohup_is_respected(hung: list[str], tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    process = start(["extract", *hung, "-o", tmp_path / "m.zarr", *SMALL, "--workers", 2, "--json"], code)
    assert process.stdout is not None
    assert [json.loads(process.stdout.readline())["event"] for _ in range(2)] == ["start", "video"]
    process.send_signal(signal.SIGHUP)

    def ended_with_the_pipe() -> bool:
        with suppress(OSError):  # nobody reads from it at the moment
            os.close(os.open(os.environ["PIPE"], os.O_WRONLY | os.O_NONBLOCK))
        return process.poll() is not None

    wait_for(ended_with_the_pipe)
    out, err = process.communicate()
    assert process.returncode == 3, err.decode()
    assert json.loads(out.splitlines()[-1])["event"] == "summary"


def test_nobody_reads_any_more(films: Path, tmp_path: Path) -> None:
    """``| head -1``: the run ends at once with what a shell says of SIGPIPE, and leaves no half of a part."""
    command = '"$@" | head -1 >/dev/null; exit "${PIPESTATUS[0]}"'
    arguments = ["extract", films, "-o", tmp_path / "m.zarr", *SMALL, "--workers", 2, "--json"]
    ended = subprocess.run(
        ["bash", "-c", command, "bash", *PROGRAM, *map(str, arguments)], capture_output=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (141, b"")
    assert list((tmp_path / "m.zarr").glob(".writing/*/grown-*")) == []
