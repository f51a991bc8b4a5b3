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
