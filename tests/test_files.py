"""Files that appear whole or not at all, and folders that one process holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mgmtool import files
from mgmtool.errors import MgmtoolError, OutputError, ReadFailure
from mgmtool.files import alone, create, is_alive, make_folder, whole, written_whole


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


def test_a_file_is_on_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its name is, before whoever wrote it goes on."""
    target, seen = tmp_path / "a", []

    def sync(path: Path) -> None:
        seen.append((path.is_dir(), target.exists()))

    monkeypatch.setattr(files, "sync", sync)
    with whole(target) as partial:
        partial.write_bytes(b"x")
    steps = [(False, False), (True, False), (False, True), (True, True)]
    assert seen == steps
    target.unlink()
    seen.clear()
    create(target, b"x")
    assert seen == steps


def test_an_error_keeps_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def fail() -> None:
        with whole(tmp_path / "a") as partial:
            partial.write_bytes(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*a: Is a directory"), written_whole(tmp_path / "a"):
        pass
    with pytest.raises(IsADirectoryError):
        create(tmp_path / "a", b"x")


def test_names_as_long_as_the_file_system_takes_can_be_written(tmp_path: Path) -> None:
    with whole(tmp_path / ("a" * 255)) as partial:
        partial.write_bytes(b"x")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_exists_is_not_created_again(tmp_path: Path) -> None:
    create(tmp_path / "a", b"first")
    with pytest.raises(FileExistsError):
        create(tmp_path / "a", b"second")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"first")]


def test_processes_are_alive_or_not() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert [is_alive(text) for text in (str(os.getpid()), "1", str(child.pid), "x", "9" * 30)] == [
        True,
        True,
        *[False] * 3,
    ]


def test_folders_are_on_disk_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(files, "sync", synced.append)
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a"]
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "file")


def test_a_folder_has_one_holder(tmp_path: Path) -> None:
    with alone(tmp_path) as first:
        with alone(tmp_path) as second:
            assert (first, second) == (True, False)
        with alone(tmp_path) as third:
            assert not third
    with alone(tmp_path) as later:
        assert later
    assert list(tmp_path.iterdir()) == []
