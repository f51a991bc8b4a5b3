"""Faults of the machine and of the way to the files are no failures of videos: a run stops, or tries them again."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from mgmtool import engines
from mgmtool.errors import PASSING, InputError, ScratchError, failure_of
from mgmtool.extraction import prepare, worker
from mgmtool.extraction.environment import judged
from mgmtool.store import Store
from mgmtool.types import ExtractSpec, Outcome, PatchGrid, VideoRef
from support import calling, tiny_videos

SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=2)
INLINE = engines.build("inline")


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    tiny_videos.write_clips(tmp_path / "v", 6)
    return tmp_path / "v"


def run(videos: Path, store: Path, scratch: Path | None = None) -> Iterator[Outcome]:
    return prepare([str(videos)], store, SPEC, INLINE, scratch=None if scratch is None else str(scratch)).outcomes()


@pytest.mark.parametrize("how", ["moved", "emptied"])
def test_a_root_that_vanishes_stops_the_run(videos: Path, tmp_path: Path, how: str) -> None:
    outcomes = run(videos, tmp_path / "m.zarr")
    assert [next(outcomes).done for _ in range(3)] == [True] * 3
    videos.rename(tmp_path / "aside")
    if how == "emptied":  # as a share that is no longer mounted
        videos.mkdir()
    with pytest.raises(
        InputError, match=rf"^the input folder {videos} is gone or empty, so '3\.mp4' cannot be read; .*"
    ):
        list(outcomes)
    rows = Store.open(tmp_path / "m.zarr").index
    assert set(rows["status"].to_pylist()) == {"done"}
    shutil.rmtree(videos, ignore_errors=True)
    (tmp_path / "aside").rename(videos)
    assert all(outcome.done for outcome in run(videos, tmp_path / "m.zarr"))
    assert len(Store.open(tmp_path / "m.zarr").videos) == 6


def test_a_file_that_vanishes_is_tried_again(videos: Path, tmp_path: Path) -> None:
    (videos / "1.mp4").rename(tmp_path / "1.mp4")
    (videos / "1.mp4").write_bytes(b"no video")
    outcomes = run(videos, tmp_path / "m.zarr")
    found = [next(outcomes), next(outcomes)]
    shutil.move(videos / "3.mp4", tmp_path / "3.mp4")
    found += outcomes
    assert {o.video.id: o.failure for o in found if not o.done} == {"1.mp4": "open", "3.mp4": "io"}
    shutil.move(tmp_path / "3.mp4", videos / "3.mp4")
    assert [(o.video.id, o.done) for o in run(videos, tmp_path / "m.zarr")] == [("3.mp4", True)]
    assert list(run(videos, tmp_path / "m.zarr")) == []


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 KB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", str(place)], check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: mount says {mounted.returncode}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_scratch_stops_the_run(videos: Path, small: Path, tmp_path: Path) -> None:
    """Copies of remote videos lie there while they are worked on."""
    memory = fsspec.filesystem("memory")
    memory.put(f"{videos}/", "memory://scratch/", recursive=True)

    def run_remote() -> Iterator[Outcome]:
        return prepare(["memory://scratch"], tmp_path / "m.zarr", SPEC, INLINE, scratch=str(small)).outcomes()

    (small / "taken").write_bytes(bytes(8192))
    with pytest.raises(ScratchError, match=rf"^no space left for temporary files in {small}; make room there, or name"):
        list(run_remote())
    (small / "taken").unlink()
    outcomes = list(run_remote())
    memory.rm("/scratch", recursive=True)
    assert len(outcomes) == 6
    assert all(outcome.done for outcome in outcomes)


def test_a_failure_of_the_video_itself_stays(tmp_path: Path) -> None:
    video = VideoRef("a.mp4", str(tmp_path / "a.mp4"), 7)
    (tmp_path / "a.mp4").write_bytes(b"no film")
    result = worker.VideoResult(Outcome(video, None, "open", "no video"))
    assert judged(result, str(tmp_path)) is result
    never = dataclasses.replace(
        result, outcome=dataclasses.replace(result.outcome, video=VideoRef("b", str(tmp_path / "b")))
    )
    assert judged(never, str(tmp_path)) is never


def test_only_classes_that_are_not_the_videos_fault_pass() -> None:
    assert PASSING == ("memory", "io")
    assert failure_of(OSError(28, "No space left on device"))[1].startswith("no space left for temporary files")


def test_failures_say_which_are_tried_again(videos: Path, tmp_path: Path, call: calling.Call) -> None:
    (videos / "1.mp4").write_bytes(b"no video")
    outcomes = run(videos, tmp_path / "m.zarr")
    found = [next(outcomes)]
    (videos / "5.mp4").unlink()
    found += outcomes
    ended = call("failures", tmp_path / "m.zarr", "--json")
    assert {event["id"]: event["retried"] for event in ended.events("failure")} == {"1.mp4": False, "5.mp4": True}
    assert ended.events("summary")[0]["retried"] == 1
    assert "1 of memory and io are tried again by the next extract" in call("failures", tmp_path / "m.zarr").out
