"""What ``peers.py`` says of mgmtool alone: bytes of a store, answers to a loader, seconds to start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from _race import spread
from loader import BATCH, CACHES, frames_of, latency, random_clips

import mgmtool
from mgmtool.extraction import extract
from mgmtool.types import ExtractSpec

_PROGRAM = ["-c", "from mgmtool.cli import main; main()"]
_FIRST_MASK = """
import sys
from mgmtool.extraction.stream import stream_masks
from mgmtool.types import ExtractSpec, VideoRef
with stream_masks(VideoRef("film", sys.argv[1]), ExtractSpec()) as stream:
    next(stream.chunks)
"""


def make_store(files: list[Path], path: Path) -> None:
    """Extract files with the default spec: masks on 14x14, energy on 16x16."""
    for outcome in extract([str(file) for file in files], path, ExtractSpec(), "inline"):
        if not outcome.done:
            raise SystemExit(f"{outcome.video.path}: {outcome.failure}: {outcome.message}")


def storage(path: Path) -> dict[str, Any]:
    """Bytes a frame of the chunks of every array of a store, and of its other files, which do not grow with the frames."""
    frames = frames_of(mgmtool.open_store(path))
    sizes: Counter[str] = Counter()
    for file in path.rglob("*"):
        if file.is_file():
            sizes[_part_of_store(file.relative_to(path))] += file.stat().st_size
    each = {name: round(size / frames, 2) for name, size in sizes.most_common()}
    return {"frames": frames, "bytes_a_frame": {**each, "all": round(sizes.total() / frames, 2)}}


def _part_of_store(inside: Path) -> str:
    """Name the array that a file belongs to, or what else it is."""
    if inside.name == "zarr.json":
        return "zarr.json of all"
    if inside.parts[0].startswith("part-"):
        return inside.parts[1]
    return "index" if inside.parts[0].startswith("index") else "records of runs"


def loader(path: Path, folder: Path, count: int = 1000) -> dict[str, Any]:
    """Milliseconds of a clip and of a batch: from disk, from mapped memory, from RAM."""
    clips = random_clips(mgmtool.open_store(path), count)
    found = {cache or "disk": asdict(latency(path, cache, clips, folder)) for cache in CACHES}
    return {"clips": count, "batch": BATCH, "caches": found}


def start_up(film: Path, runs: int) -> dict[str, Any]:
    """Seconds from nothing to the first output; kernels are compiled once only, because that takes so long."""
    commands = {
        "mgmtool --version": [*_PROGRAM, "--version"],
        "mgmtool extract --help": [*_PROGRAM, "extract", "--help"],
        "first mask of a clip of 1 s, kernels in the cache": ["-c", _FIRST_MASK, str(film)],
    }
    for command in commands.values():
        _seconds(command)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(_seconds(command))
    with tempfile.TemporaryDirectory() as empty:
        cold = _seconds(["-c", _FIRST_MASK, str(film)], NUMBA_CACHE_DIR=empty)
    times["first mask of a clip of 1 s, kernels to be compiled"] = [cold]
    return {name: spread(found) for name, found in times.items()}


def _seconds(arguments: list[str], **environment: str) -> float:
    start = time.perf_counter()
    surroundings = {**os.environ, **environment}
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=surroundings)
    return time.perf_counter() - start
