"""Hypothesis profiles: fewer examples where the kernels run as plain Python; and the folder of real videos."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from support import calling, tiny_videos

settings.register_profile("default", max_examples=60, deadline=None, derandomize=True, database=None)
settings.register_profile("nojit", settings.get_profile("default"), max_examples=15)
settings.load_profile("nojit" if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0") else "default")

# Under nohup, or in the background of a script, these are ignored, and so they would be in the processes that tests start.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# Under make, a make that a test starts would take itself for a part of it.
for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(name, None)


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
