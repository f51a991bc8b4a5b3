"""Videos that take their worker with them are blamed for exactly that, and for nothing else, from end to end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mgmtool.store import open_store
from support import driving, stores, tiny_videos

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux has them")

BLAMED = {
    "segfault-2.mp4": ("crash", "the worker died: SIGSEGV"),
    "kill-3.mp4": ("crash", "the worker died: SIGKILL, killed from outside, perhaps by the system for lack of memory"),
    "exit-4.mp4": ("crash", "the worker died: exit code 3"),
    "stuck-5.mp4": ("timeout", "took longer than 4 s; its worker was stopped"),
    "raise-6.mp4": ("crash", "KeyError: 'no such thing\\nsecond line'"),
    "eat-7.mp4": ("memory", "its worker reached "),
}
FLAGS = ["--part-videos", 4, "--progress", "none"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten clips, six of which have names that the engine ``wild`` acts upon."""
    made = tmp_path_factory.mktemp("videos")
    paths = tiny_videos.write_clips(made, 10)
    for name in BLAMED:
        paths[int(name[-5])].rename(made / name)
    return made


@pytest.mark.parametrize("retries", [0, 1])
def test_the_index_blames_exactly_whoever_it_was(folder: Path, tmp_path: Path, retries: int) -> None:
    store = tmp_path / "m.zarr"
    limits = ["--timeout", 4, "--worker-memory", "800MB", "--retries", retries, "--workers", 2]
    ended = driving.run("extract", folder, "-o", store, *FLAGS, "--engine", "wild", *limits)
    assert ended.returncode == 3, ended.stderr
    rows = {row["id"]: row for row in open_store(store).index.to_pylist()}
    assert len(rows) == 10
    assert {name: row["failure"] for name, row in rows.items() if row["status"] != "done"} == {
        name: failure for name, (failure, _) in BLAMED.items()
    }
    for name, (_, words) in BLAMED.items():
        assert rows[name]["message"].startswith(words), rows[name]
        assert rows[name]["message"].endswith(" (2 tries)") == (retries == 1 and name != "raise-6.mp4")


def test_a_healthy_engine_does_them_all_later(folder: Path, tmp_path: Path) -> None:
    store, quiet = tmp_path / "m.zarr", tmp_path / "quiet.zarr"
    limits = ["--timeout", 4, "--worker-memory", "800MB", "--retries", 0, "--workers", 2]
    assert driving.run("extract", folder, "-o", store, *FLAGS, "--engine", "wild", *limits).returncode == 3
    assert driving.run("extract", folder, "-o", store, *FLAGS, "--retry-failed").returncode == 0
    assert driving.run("extract", folder, "-o", quiet, *FLAGS).returncode == 0
    one, other = open_store(store), open_store(quiet)
    assert sorted(one.index["id"].to_pylist()) == sorted(other.index["id"].to_pylist())
    for name in other.index["id"].to_pylist():
        stores.assert_volumes_equal(one.volume(name), other.volume(name))
