"""Hypothesis profiles: fewer examples where the kernels run as plain Python; and the folder of real videos."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from support import calling, tiny_videos

pytest.register_assert_rewrite("mgmtool.testing")

settings.register_profile("default", max_examples=60, deadline=None, derandomize=True, database=None)
settings.register_profile("nojit", settings.get_profile("default"), max_examples=15)
settings.load_profile("nojit" if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0") else "default")

# Under nohup, or in the background of a script, these are ignored, and so they would be in the processes that tests start.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# Under make, a make that a test starts would take itself for a part of it.
for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(name, None)


ROOMS = ("processes", "engines", "docs", "drawing", "training", "extraction", "export", "store", "cli", "storage")
"""Folders whose tests take longest or wait for processes: a parallel run begins with them, so that none is left for last."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more process than there are CPUs: there is always one that waits for a process it has started."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first; a file stays in one piece, and its fixtures are made once."""
    places = {name: place for place, name in enumerate(ROOMS)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(ROOMS)))
    for item in items:
        if item.path.parent.name == "kernels":
            item.add_marker("no_cover")  # their lines are not counted, and the twins are slow enough


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels once before a parallel run, rather than in every process of it."""
    if getattr(session.config.option, "numprocesses", None) and not hasattr(session.config, "workerinput"):
        program = "from support.compiling import compile_kernels; compile_kernels()"
        subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parent, check=True)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Iterator[calling.Call]:
    """Run a command in this process; see :mod:`support.calling`."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield partial(calling.run, capsys)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clips and three files that are none; nobody changes it."""
    return tiny_videos.write_mixed(tmp_path_factory.mktemp("mixed"))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of real videos, with its ``manifest.tsv``; not part of the project."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "corpus"
    folder = Path(os.environ.get("MGMTOOL_CORPUS") or beside)
    if not (folder / "manifest.tsv").is_file():
        pytest.skip(f"no corpus of real videos: {folder} has no manifest.tsv; set MGMTOOL_CORPUS")
    return folder
