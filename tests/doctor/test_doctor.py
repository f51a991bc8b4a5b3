"""``mgmtool doctor``: what it looks at, and what it says of a machine on which something is wrong."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import av
import pytest

from mgmtool import doctor
from mgmtool.doctor import Check, checks
from mgmtool.engines import limits
from mgmtool.files import can_lock
from mgmtool.video import trial
from support import calling

FOR_DEVELOPERS = {"check", "dist", "docs", "test"}


def by_name(found: list[Check]) -> dict[str, Check]:
    return {f"{check.group} {check.name}": check for check in found}


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code, out, err = calling.run(capsys, "doctor", *arguments)
    assert err == ""
    return code, out


def test_here_all_that_is_needed_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, tmp_path, "--json")
    report = json.loads(out)
    assert [check for check in report["checks"] if check["state"] == "broken"] == []
    assert (code, report["ok"]) == (0, True)
    assert {check["group"] for check in report["checks"]} == {"versions", "codecs", "machine", "places", "extras"}
    assert list(tmp_path.iterdir()) == []  # nothing stays behind


def test_for_people_a_line_a_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, tmp_path)
    lines = out.splitlines()
    assert code == 0
    assert "\x1b" not in out
    assert [line for line in lines if line != line.rstrip()] == []
    assert len(lines) == len(list(checks(tmp_path))) + 1
    assert lines[-1].startswith("all that is needed works")
    assert any(line.split()[:4] == ["codecs", "h264", "ok", "motion"] for line in lines)


@pytest.mark.parametrize("kind", ["gone", "file"])
def test_a_folder_that_cannot_be_written_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    (tmp_path / "file").touch()
    code, out = run(capsys, tmp_path / kind)
    assert code == 1
    assert out.splitlines()[-1].startswith("broken: output")
    assert f"{tmp_path / kind}  cannot be written: " in out


def test_the_current_folder_need_not_be_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.Path, "cwd", lambda: tmp_path / "gone")
    (check,) = doctor.output_folder(None)
    assert check.state == "missing"


def test_versions_are_those_installed() -> None:
    found = by_name(list(doctor.versions()))
    assert found["versions av"].value == av.__version__ == metadata.version("av")
    assert found["versions libavcodec"].value == ".".join(map(str, av.library_versions["libavcodec"]))


def test_a_library_that_does_not_load_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xxhash", None)  # what makes an import fail
    check = by_name(list(doctor.versions()))["versions xxhash"]
    assert (check.state, check.value) == ("broken", None)
    assert check.note.endswith("pip install --force-reinstall xxhash")


def test_a_check_that_fails_is_a_result(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails() -> Any:
        raise RuntimeError("no such\nthing")

    monkeypatch.setattr(doctor, "codecs", fails)
    found = list(checks(tmp_path))
    assert [check for check in found if check.state == "broken"] == [
        Check("codecs", "check", None, "broken", "RuntimeError: no such thing")
    ]
    assert found[-1].group == "extras"  # all others were made


def test_extras_are_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    extras = set(metadata.metadata("mgmtool").get_all("Provides-Extra") or [])
    assert set(doctor.FEATURES) == extras - FOR_DEVELOPERS
    monkeypatch.setattr(doctor, "installed_version", lambda name: None if name == "s3fs" else "1.0")
    found = by_name(list(doctor.extras()))
    assert found["extras s3"] == Check(
        "extras", "s3", "without s3fs", "missing", "s3:// URLs: pip install 'mgmtool[s3]'"
    )
    assert found["extras remote"].state == "ok"
    assert "fsspec 1.0" in str(found["extras remote"].value)


def test_requirements_hold_those_of_extras_in_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "numpy>=2.0", "aiohttp>=3.9; extra == 'remote'", 'mgmtool[remote]; extra == "s3"', 's3fs; extra == "s3"',
        'moto[s3,server]>=5; extra == "test"',
    ]  # fmt: skip
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: lines)
    expected = {"": {"numpy"}, "remote": {"aiohttp"}, "s3": {"aiohttp", "s3fs"}, "test": {"moto"}}
    assert doctor.requirements() == expected


def test_codecs_are_tried() -> None:
    found = dict(trial.codec_trials())
    assert {name for name, state in found.items() if state == "vectors"} >= {"mpeg4", "mpeg2video", "h263"}
    assert found["vp9"] == "decodes"
    assert trial._tried("mjpeg", "mpeg4") != "vectors"  # pictures of another codec: an error, and no exception


def test_an_intra_codec_has_no_vectors() -> None:
    assert trial._tried("ffv1", "ffv1") == "none"


@pytest.mark.parametrize(
    ("found", "reencoded", "state"),
    [
        ("vectors", True, "ok"),
        ("untried", True, "ok"),
        ("decodes", True, "ok"),
        ("decodes", False, "missing"),
        ("missing", True, "missing"),
        ("none", True, "missing"),
        ("Invalid data", True, "broken"),
    ],
)
def test_what_a_trial_means(found: str, reencoded: bool, state: str) -> None:
    assert doctor.codec_check("mpeg4", found, reencoded).state == state


@pytest.mark.parametrize("found", ["missing", "none"])
def test_nothing_goes_without_h264(found: str) -> None:
    assert doctor.codec_check("h264", found, True).state == "broken"


def test_limits_of_the_machine() -> None:
    own = limits()
    assert 1 <= own.workers <= own.allowed_cpus <= own.cpus
    assert 0 < own.free_memory <= own.memory
    if hasattr(os, "sched_getaffinity"):
        assert own.allowed_cpus == len(os.sched_getaffinity(0))


def test_locks_that_keep_nobody_out_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_lock(tmp_path)
    monkeypatch.setattr(fcntl, "fcntl", lambda *_: b"")  # grants all, like some network file systems
    assert not can_lock(tmp_path)
    assert by_name(list(doctor.output_folder(tmp_path)))["places locks"].state == "missing"


def test_little_space_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12 - 10**8, 10**8))
    check = by_name(list(doctor.output_folder(tmp_path)))["places output"]
    assert (check.state, check.value) == ("missing", "100 MB free")


def test_a_temporary_folder_that_cannot_be_written_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> Any:
        raise OSError("no space")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", full)
    (check,) = doctor.temporary_folder()
    assert check.state == "broken"
    assert "TMPDIR" in check.note


def test_kernels_that_cannot_be_kept_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from mgmtool.kernels.field import motion_field

    (check,) = doctor.kernel_cache()
    if not hasattr(motion_field, "stats"):
        assert (check.state, check.value) == ("missing", "not compiled")
        return
    monkeypatch.setattr(os, "access", lambda *_: False)
    (check,) = doctor.kernel_cache()
    assert check.state == "missing"
    assert "NUMBA_CACHE_DIR" in check.note
