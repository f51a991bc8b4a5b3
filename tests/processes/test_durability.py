"""Nothing that is finished is lost or harmed: two drivers, containers that share a name, --overwrite, journals of killed runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mgmtool import engines
from mgmtool.extraction import extract
from mgmtool.extraction.journal import PREFIX
from mgmtool.types import ExtractSpec, Outcome, PatchGrid, Resume
from support import stores, tiny_videos
from support.driving import PROGRAM, family, records, run, start, verify, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux has them")

SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=8)
FLAGS = ["--grid", "4x6", "--energy-grid", "3x4", "--part-videos", 8, "--progress", "none"]
INLINE = engines.build("inline")


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen clips, two parts, in whose middle there is time to do something."""
    folder = tmp_path_factory.mktemp("videos")
    clip = tiny_videos.clip(300)
    for number in range(16):
        (folder / f"{number:02}.mp4").write_bytes(clip)
    return folder


@pytest.fixture(scope="module")
def reference(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("reference") / "m.zarr"
    list(extract([str(videos)], store, SPEC, INLINE))
    return store


def journals(store: Path) -> list[Path]:
    return sorted(store.glob(f".writing/part-*/{PREFIX}*"))


def send(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        process.send_signal(number)


def in_a_container(*arguments: object) -> subprocess.Popen[str]:
    """Start the command where it sees no process but its own; the name of the machine is the same."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", *PROGRAM, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_containers_of_one_name(videos: Path, reference: Path, tmp_path: Path) -> None:
    """The number of a process means nothing in another container: a live driver's part is not litter there."""
    probe = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True, text=True, check=False
    )
    if probe.returncode:
        pytest.skip(f"unshare is not allowed: {probe.stderr.strip()}")
    store = tmp_path / "m.zarr"
    with in_a_container("extract", videos, "-o", store, *FLAGS, "--workers", 1, "--shard", "0/2") as first:
        wait_for(lambda: list(store.glob(".writing/part-00000/grown-*/zarr.json")) or first.poll() is not None)
        stopped = family(first)
        send(stopped, signal.SIGSTOP)
        before = sorted(path for path in (store / ".writing").rglob("*") if path.is_file())
        assert before, "the first driver was too fast"
        with in_a_container("extract", videos, "-o", store, *FLAGS, "--workers", 1, "--shard", "1/2") as second:
            _, errors = second.communicate(timeout=120)
        assert second.returncode == 0, errors
        assert [path for path in before if not path.exists()] == []
        send(stopped, signal.SIGCONT)
        _, errors = first.communicate(timeout=120)
        assert first.returncode == 0, errors
    assert run("index", store).returncode == 0
    stores.assert_same(store, reference)
    verify(store)


def test_a_store_that_is_being_written_is_not_overwritten(videos: Path, reference: Path, tmp_path: Path) -> None:
    store = tmp_path / "m.zarr"
    with start("extract", videos, "-o", store, *FLAGS, "--workers", 1) as first:
        wait_for(lambda: journals(store) or first.poll() is not None)
        stopped = family(first)
        send(stopped, signal.SIGSTOP)  # it holds the store, however long the other takes to start
        ended = run("extract", videos, "-o", store, *FLAGS, "--seed", 2, "--overwrite", "--yes")
        send(stopped, signal.SIGCONT)
        assert ended.returncode == 1, ended.stdout
        assert f"another run is writing {store}; it cannot be removed before that run has ended" in ended.stderr
        _, errors = first.communicate(timeout=120)
        assert first.returncode == 0, errors
    stores.assert_same(store, reference)
    again = run("extract", videos, "-o", store, *FLAGS, "--overwrite", "--yes")
    assert again.returncode == 0, again.stderr
    stores.assert_same(store, reference)


@pytest.mark.parametrize("whom", ["driver", "group", "term"])
def test_a_killed_run_does_no_finished_video_again(videos: Path, reference: Path, tmp_path: Path, whom: str) -> None:
    store, workers = tmp_path / "m.zarr", 2
    told: list[str] = []
    arguments = ["extract", videos, "-o", store, *FLAGS, "--workers", workers, "--json"]
    with start(*arguments) as driver:
        assert driver.stdout is not None
        while len(told) < 5:
            event = json.loads(driver.stdout.readline())
            told += [event["id"]] if event["event"] == "video" else []
        victims = family(driver)
        if whom == "term":
            driver.terminate()
        else:
            send(victims if whom == "group" else victims[:1], signal.SIGKILL)
        _, errors = driver.communicate(timeout=120)
    assert records(store) == []
    ended = run(*arguments)
    assert ended.returncode == 0, ended.stderr
    events = [event for line in ended.stdout.splitlines() if (event := json.loads(line))["event"] == "video"]
    resumed = {event["id"] for event in events if event["resumed"]}
    assert set(told) <= resumed, errors
    assert len(events) == 16
    stores.assert_same(store, reference)
    assert journals(store) == []


def first_outcomes(folder: Path, store: Path, count: int) -> list[Outcome]:
    """Stop a run after so many videos."""
    outcomes = extract([str(folder)], store, SPEC, INLINE)
    found = [next(outcomes) for _ in range(count)]
    outcomes.close()  # type: ignore[attr-defined]
    return found


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    return tiny_videos.write_mixed(tmp_path / "mixed")


def resumed(folder: Path, store: Path, **how: bool) -> list[str]:
    return [o.video.id for o in extract([str(folder)], store, SPEC, INLINE, resume=Resume(**how)) if o.resumed]  # type: ignore[arg-type]


def test_failures_are_kept_too_unless_they_are_to_be_tried_again(mixed: Path, tmp_path: Path) -> None:
    list(extract([str(mixed)], tmp_path / "quiet.zarr", SPEC, INLINE))
    for name, how, kept in (("a", {}, 6), ("b", {"retry_failed": True}, 4)):
        store = tmp_path / f"{name}.zarr"
        ids = [outcome.video.id for outcome in first_outcomes(mixed, store, 6)]
        assert resumed(mixed, store, **how) == ids[:kept]
        stores.assert_same(store, tmp_path / "quiet.zarr")


def test_a_file_that_has_changed_is_done_again(mixed: Path, tmp_path: Path) -> None:
    store = tmp_path / "m.zarr"
    first_outcomes(mixed, store, 4)
    (mixed / "1.mp4").write_bytes(tiny_videos.clip(31, 3))
    os.utime(mixed / "2.mp4", ns=(1, 1))
    assert resumed(mixed, store) == ["0.mp4", "3.mp4"]
    list(extract([str(mixed)], tmp_path / "quiet.zarr", SPEC, INLINE))
    stores.assert_same(store, tmp_path / "quiet.zarr")


def test_a_run_with_another_key_finds_nothing(mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "m.zarr"
    first_outcomes(mixed, store, 4)
    monkeypatch.setattr("mgmtool.extraction.run.versions", lambda: {"mgmtool": "another"})
    assert resumed(mixed, store) == []


def cut(content: bytearray) -> None:
    del content[-5:]


def flip(content: bytearray) -> None:
    content[len(content) * 5 // 8] ^= 4


def forget(content: bytearray) -> None:
    content.clear()


def lie(content: bytearray) -> None:
    """Have the first record claim more bytes than any machine has."""
    start = content.index(b"\n") + 2
    content[start : start + 8] = b"\xff" * 8


@pytest.mark.parametrize(("harm", "most"), [(cut, 3), (flip, 3), (forget, 0), (lie, 0)])
def test_what_is_valid_before_the_damage_counts(
    mixed: Path, tmp_path: Path, harm: Callable[[bytearray], None], most: int
) -> None:
    store = tmp_path / "m.zarr"
    first_outcomes(mixed, store, 4)
    (journal,) = journals(store)
    content = bytearray(journal.read_bytes())
    harm(content)
    journal.write_bytes(content)
    kept = resumed(mixed, store)
    assert kept == ["0.mp4", "1.mp4", "2.mp4", "3.mp4"][: len(kept)]
    assert len(kept) <= most
    assert (len(kept) > 0) == (most > 0)
    list(extract([str(mixed)], tmp_path / "quiet.zarr", SPEC, INLINE))
    stores.assert_same(store, tmp_path / "quiet.zarr")
