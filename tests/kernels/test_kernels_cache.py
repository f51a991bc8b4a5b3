"""Compiled kernels on disk are used while no kernel has changed, and no longer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mgmtool.kernels import _jit

pytestmark = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="nothing is compiled")

CALLEE = "from mgmtool.kernels._jit import kernel\n\n@kernel\ndef callee(x):\n    return x + {}\n"
CALLER = (
    "from mgmtool.kernels._jit import kernel\nfrom mgmtool.kernels.callee import callee\n\n"
    "@kernel\ndef caller(x):\n    return 2 * callee(x)\n"
)
CALL = (
    "from mgmtool.kernels.caller import caller\n"
    "print(caller(1), sum(caller.stats.cache_hits.values()), sum(caller.stats.cache_misses.values()))"
)


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    """A copy of the package with two more kernels, one of which calls the other."""
    folder = tmp_path / "mgmtool" / "kernels"
    shutil.copytree(Path(_jit.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder.parent / "__init__.py").touch()
    (folder / "callee.py").write_text(CALLEE.format(1))
    (folder / "caller.py").write_text(CALLER)
    return folder


def call(kernels: Path) -> list[int]:
    """The result of ``caller`` in a new process, and how often its machine code was found and not found on disk."""
    environment = {**os.environ, "PYTHONPATH": str(kernels.parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("NUMBA_CACHE_DIR", None)
    ended = subprocess.run([sys.executable, "-c", CALL], env=environment, capture_output=True, text=True, check=True)
    return [int(word) for word in ended.stdout.split()]


def test_an_edited_callee_is_seen_by_callers_in_other_files(kernels: Path) -> None:
    assert call(kernels) == [4, 0, 1]
    assert call(kernels) == [4, 1, 0]
    (kernels / "callee.py").write_text(CALLEE.format(10))
    assert call(kernels) == [22, 0, 1]
    assert call(kernels) == [22, 1, 0]


@pytest.fixture
def unwritable(kernels: Path) -> Path:
    """The copy, in which no folder for machine code can be made."""
    (kernels / "__pycache__").touch()
    return kernels


def told(kernels: Path, tmp_path: Path, **environment: str) -> tuple[list[str], str]:
    """What a new process says of its cache, and its errors."""
    code = (
        CALL
        + "\nfrom mgmtool.kernels import cache_problem, compilations\nprint(cache_problem(), compilations(), sep='|')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(kernels.parents[1]), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    return ended.stdout.splitlines(), ended.stderr


def test_without_a_folder_machine_code_goes_to_the_temporary_files(unwritable: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    nowhere = {
        "HOME": "/dev/null",
        "XDG_CACHE_HOME": "/dev/null/cache",
        "TMPDIR": str(temporary),
        "NUMBA_CACHE_DIR": "",
    }
    (first, notice), errors = told(unwritable, tmp_path, **nowhere)
    assert (first, errors) == ("4 0 1", "")
    folder = temporary / f"mgmtool-kernels-{os.getuid()}"
    assert notice == (
        "compiled kernels cannot be kept: neither the folder of the code nor that of the user can be written; "
        f"they go to {folder}; set NUMBA_CACHE_DIR to a folder that can be written|2"
    )
    assert folder.stat().st_mode & 0o777 == 0o700, "machine code of others would be run"
    (second, _), _ = told(unwritable, tmp_path, **nowhere)
    assert second == "4 1 0"
    folder.chmod(0o777)
    (third, notice), _ = told(unwritable, tmp_path, **nowhere)
    assert third == "4 0 1", "others could have written there"
    assert str(folder) not in notice.replace(f"{folder}-", "")


def test_without_any_folder_kernels_are_compiled_each_time(unwritable: Path, tmp_path: Path) -> None:
    code = (
        "import tempfile\n"
        "def none(): raise FileNotFoundError('no usable temporary directory')\n"
        "tempfile.gettempdir = none\n" + CALL + "\nfrom mgmtool.kernels import cache_problem\nprint(cache_problem())"
    )
    environment = {**os.environ, "PYTHONPATH": str(unwritable.parents[1]), "HOME": "/dev/null", "NUMBA_CACHE_DIR": ""}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "XDG_CACHE_HOME": "/dev/null/cache"},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert ended.stdout.splitlines()[0] == "4 0 1"
    assert "every process compiles them again; set NUMBA_CACHE_DIR" in ended.stdout


def test_a_cache_folder_that_cannot_be_written_is_told(kernels: Path, tmp_path: Path) -> None:
    (_, notice), _ = told(kernels, tmp_path, NUMBA_CACHE_DIR="/dev/null/x")
    kept = kernels / "__pycache__"
    assert notice == f"NUMBA_CACHE_DIR is '/dev/null/x', which cannot be written; compiled kernels are kept in {kept}|2"
