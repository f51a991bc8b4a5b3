"""What a container leaves of the machine, read from made-up control groups; and sizes as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgmtool import engines
from mgmtool.engines import _machine
from mgmtool.engines._machine import cpu_quota, memory_limit, usable

GIB = 2**30


def group(tmp_path: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    """Make a tree of control groups, and the file that says which of them are ours."""
    (tmp_path / "cgroup").write_text(membership)
    for name, content in files.items():
        path = tmp_path / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")
    return tmp_path / "cgroup", tmp_path / "fs"


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("", {}, None),
        ("nonsense\n\n::\n", {"cpu.max": "x y"}, None),
        ("0::/\n", {}, None),
        ("0::/\n", {"cpu.max": "max 100000"}, None),
        ("0::/\n", {"cpu.max": "250000 100000"}, 2.5),
        ("0::/\n", {"cpu.max": "250000 0"}, None),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "150000 100000"}, 1.5),
        ("0::/a/b\n", {"a/b/cpu.max": "400000 100000", "a/cpu.max": "800000 100000"}, 4.0),
        ("0::/of/the/host\n", {"cpu.max": "200000 100000"}, 2.0),
        ("0::/../../elsewhere\n", {"cpu.max": "200000 100000"}, 2.0),
        ("0::/a\n", {"unified/a/cpu.max": "200000 100000"}, 2.0),
        ("3:cpu,cpuacct:/a\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "-1", "cpu,cpuacct/a/cpu.cfs_period_us": "9"}, None),
        ("3:cpu,cpuacct:/a\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "50", "cpu,cpuacct/a/cpu.cfs_period_us": "100"}, 0.5),
        ("3:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "300", "cpu/a/cpu.cfs_period_us": "100"}, 3.0),
        ("3:cpu:/a/b\n", {"cpu/a/cpu.cfs_quota_us": "300", "cpu/a/cpu.cfs_period_us": "100"}, 3.0),
        ("3:cpuset:/a\n", {"cpuset/a/cpu.cfs_quota_us": "300", "cpuset/a/cpu.cfs_period_us": "100"}, None),
        ("1:cpu:/\n0::/\n", {"cpu/cpu.cfs_quota_us": "3", "cpu/cpu.cfs_period_us": "1", "unified/cpu.max": "2 1"}, 2.0),
    ],
)
def test_cpu_quota(tmp_path: Path, membership: str, files: dict[str, str], expected: float | None) -> None:
    assert cpu_quota(*group(tmp_path, membership, files)) == expected


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("", {}, None),
        ("0::/\n", {"memory.max": "max"}, None),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": str(GIB)}, GIB),
        ("0::/a/b\n", {"a/b/memory.max": "1000", "a/memory.max": str(GIB)}, 1000),
        ("4:memory:/docker/1\n", {"memory/docker/1/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("4:memory:/docker/1\n", {"memory/docker/1/memory.limit_in_bytes": str(GIB)}, GIB),
        ("4:memory:/docker/1\n", {"memory/memory.limit_in_bytes": str(GIB)}, GIB),
    ],
)
def test_memory_limit(tmp_path: Path, membership: str, files: dict[str, str], expected: int | None) -> None:
    assert memory_limit(*group(tmp_path, membership, files)) == expected


def test_no_groups_at_all(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path / "none", tmp_path) is memory_limit(tmp_path / "none", tmp_path) is None


@pytest.mark.parametrize(
    ("cpus", "quota", "expected"),
    [(8, None, 8), (8, 2.0, 2), (8, 2.4, 2), (8, 2.5, 3), (8, 0.1, 1), (8, 64.0, 8), (1, 0.5, 1)],
)
def test_usable_cpus(cpus: int, quota: float | None, expected: int) -> None:
    assert usable(cpus, quota) == expected


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GB", 4_000_000_000),
        ("4g", 4_000_000_000),
        ("4 GiB", 4 * GIB),
        ("800MiB", 800 * 2**20),
        ("1.5k", 1500),
        (".5KB", 500),
        ("2TB", 2 * 10**12),
        (" 123 ", 123),
        ("123B", 123),
        ("0", None),
        ("0.1", None),
        ("-4GB", None),
        ("4 loaves", None),
        ("4i", None),
        ("GB", None),
        ("1e9", None),
        ("nan", None),
        ("", None),
        ("9" * 30, None),
        ("9" * 400 + "GB", None),
    ],
)
def test_sizes(text: str, size: int | None) -> None:
    assert _machine.read_size(text) == size


def test_sizes_in_messages() -> None:
    assert list(map(_machine.write_size, (4_213_000_000, 412_300_000))) == ["4.21 GB", "412 MB"]


def test_the_share_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_machine, "memory_limit", lambda: 10 * GIB)
    monkeypatch.setattr(_machine.psutil, "virtual_memory", lambda: type("Total", (), {"total": 100 * GIB}))
    assert _machine.share_of_memory(1) == 9 * GIB
    assert _machine.share_of_memory(3) == 3 * GIB
    assert _machine.share_of_memory(64) == GIB
    monkeypatch.setattr(_machine, "memory_limit", lambda: None)
    assert _machine.share_of_memory(1) == 90 * GIB


def test_memory_may_be_given_in_many_ways() -> None:
    for given in ("auto", "none", "4GB", "800MiB", 10**9):
        assert engines.build("local", {"worker_memory": given}).worker_memory == str(given)  # type: ignore[attr-defined]
