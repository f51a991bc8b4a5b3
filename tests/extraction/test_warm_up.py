"""What is compiled before the workers start is all that they need: a short timeout is not spent on compiling."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support import tiny_videos

PROGRAM = """
import sys
from pathlib import Path
from mgmtool.extraction import extract_video
from mgmtool.extraction.stream import warm_up
from mgmtool.kernels import _jit
from mgmtool.types import ExtractSpec, PatchGrid

def kernels():
    return {(one.py_func.__module__, one.py_func.__name__, signature) for one in _jit._KERNELS for signature in one.signatures}

scheme, *files = sys.argv[1:]
spec = ExtractSpec(scheme=scheme, grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4))
warm_up(spec)
before = kernels()
assert before or scheme in {"random", "tube"}
for file in files:
    extract_video(file, spec)
missed = kernels() - before
assert not missed, missed
"""


@pytest.mark.parametrize("scheme", ["motion-guided", "motion-literal", "tube", "simulated-motion"])
def test_workers_compile_nothing(tmp_path: Path, scheme: str) -> None:
    files = []
    for codec, container in (("libx264", "mp4"), ("mpeg4", "avi"), ("mpeg2video", "mpegts"), ("ffv1", "matroska")):
        files.append(tmp_path / f"{codec}.bin")
        files[-1].write_bytes(tiny_videos.clip(40, codec=codec, container=container))
    ended = subprocess.run([sys.executable, "-c", PROGRAM, scheme, *files], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
