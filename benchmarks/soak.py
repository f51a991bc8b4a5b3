"""Extracts real videos many times over and accounts for all of it: inputs, time, CPU, memory, files.

Links the videos of $MGMTOOL_CORPUS into a scratch folder, each of ``clips/`` COPIES times and those of ``hostile/`` once. Runs
``mgmtool extract`` on it with two workers, in processes of its own that are watched from outside. Ends with 1 if an input is
missing from the index, or the run ends otherwise than with 0 or 3.

``--scaling`` runs the same corpus with one worker and with two, alternately, and prints the ratio of their videos a second.

    python benchmarks/soak.py [COPIES] [--most SIZE] [--without NAME ...] [--workers 2] [--scaling] [--runs 3] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from mgmtool.store import Store

_LOOK_EVERY = 0.5
_PROGRAM = [sys.executable, "-c", "from mgmtool.cli import main; main()", "extract"]
_CORPUS = Path(os.environ.get("MGMTOOL_CORPUS") or Path(__file__).resolve().parents[2] / "shared" / "corpus")


@dataclass
class Watched:
    """What the processes of a run have taken, by their part in it: driver, server (of forks) and worker."""

    peak: Counter[str] = field(default_factory=Counter)
    cpu: dict[tuple[str, int], float] = field(default_factory=dict)

    def look(self, driver: psutil.Process) -> None:
        """Take in the state of a driver and of all below it."""
        with suppress(psutil.Error):
            self._note("driver", driver)
            for process in driver.children(recursive=True):
                with suppress(psutil.Error):
                    self._note("server" if process.ppid() == driver.pid else "worker", process)

    def _note(self, part: str, process: psutil.Process) -> None:
        times = process.cpu_times()
        self.cpu[part, process.pid] = times.user + times.system
        self.peak[part] = max(self.peak[part], process.memory_info().rss)

    def seconds(self, part: str) -> float:
        """CPU seconds of all processes that had this part."""
        return sum(seconds for (name, _), seconds in self.cpu.items() if name == part)


@dataclass
class Report:
    """What is printed."""

    inputs: int
    accounted: int
    classes: dict[str, int]
    exit_code: int
    wall_seconds: float
    frames: int
    cpu_seconds: dict[str, float]
    peak_bytes: dict[str, int]
    files: int
    bytes: int

    @property
    def fine(self) -> bool:
        """Whether every input is accounted for."""
        return self.accounted == self.inputs and self.exit_code in {0, 3}

    @property
    def videos_per_second(self) -> float:
        """Inputs a second, failed ones included."""
        return self.inputs / self.wall_seconds

    def derived(self) -> dict[str, float]:
        """What follows from the rest."""
        total = sum(self.cpu_seconds.values())
        return {
            "videos_per_second": round(self.videos_per_second, 3),
            "frames_per_second": round(self.frames / self.wall_seconds, 1),
            "driver_share_of_cpu": round(self.cpu_seconds["driver"] / total, 5) if total else 0.0,
        }


def make_corpus(folder: Path, copies: int, most: float, without: list[str]) -> int:
    """Link the videos; return how many there are."""
    count = 0
    for name, times in (("clips", copies), ("hostile", 1)):
        files = [path for path in sorted((_CORPUS / name).rglob("*")) if _wanted(path, most, without)]
        for copy in range(times):
            for path in files:
                link = folder / f"{name}-{copy:03}" / path.relative_to(_CORPUS / name)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path)
        count += times * len(files)
    return count


def _wanted(path: Path, most: float, without: list[str]) -> bool:
    return path.is_file() and path.stat().st_size <= most * 1e6 and not any(word in path.name for word in without)


def extract(videos: Path, store: Path, workers: int) -> tuple[int, float, Watched]:
    """Run the command; return its exit code, the seconds it took, and what it took otherwise."""
    command = [*_PROGRAM, str(videos), "-o", str(store), "--workers", str(workers), "--quiet"]
    watched, begun = Watched(), time.monotonic()
    with subprocess.Popen(command) as running:
        driver = psutil.Process(running.pid)
        while running.poll() is None:
            watched.look(driver)
            with suppress(subprocess.TimeoutExpired):
                running.wait(_LOOK_EVERY)
    return running.returncode, time.monotonic() - begun, watched


def soak(inputs: int, videos: Path, store: Path, workers: int) -> Report:
    """Extract once, and put together what there is to say."""
    code, seconds, watched = extract(videos, store, workers)
    index = Store.open(store).index
    ends = Counter(row["failure"] or row["status"] for row in index.select(["failure", "status"]).to_pylist())
    sizes = [path.stat().st_size for path in store.rglob("*") if path.is_file()]
    parts = ("driver", "server", "worker")
    return Report(
        inputs=inputs,
        accounted=len(set(index["id"].to_pylist())),
        classes=dict(ends.most_common()),
        exit_code=code,
        wall_seconds=round(seconds, 2),
        frames=sum(frames or 0 for frames in index["num_frames"].to_pylist()),
        cpu_seconds={part: round(watched.seconds(part), 2) for part in parts},
        peak_bytes={part: watched.peak[part] for part in parts},
        files=len(sizes),
        bytes=sum(sizes),
    )


def show(report: Report, as_json: bool) -> None:
    """Print a report."""
    rows: dict[str, Any] = {**asdict(report), **report.derived()}
    if as_json:
        print(json.dumps(rows))
        return
    for name, value in rows.items():
        text = ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else value
        print(f"{name.replace('_', ' '):20} {text}")


def scaling(inputs: int, videos: Path, scratch: Path, runs: int, as_json: bool) -> bool:
    """Run with one and with two workers alternately; return whether every input was accounted for each time."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    fine = True
    for run in range(runs):
        for workers, found in rates.items():
            report = soak(inputs, videos, scratch / f"{run}-{workers}.zarr", workers)
            found.append(report.videos_per_second)
            fine = fine and report.fine
    ratios = sorted(two / one for one, two in zip(*rates.values(), strict=True))
    if as_json:
        print(json.dumps({"videos_per_second": rates, "ratios": ratios, "fine": fine}))
    else:
        for workers, found in rates.items():
            print(f"{workers} workers: {', '.join(f'{rate:.2f}' for rate in found)} videos/s")
        print(f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} .. {ratios[-1]:.2f})")
    return fine


def main() -> int:
    """Run the soak."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("copies", nargs="?", type=int, default=4, help="of each of clips/")
    parser.add_argument("--most", type=float, default=1e6, metavar="MB", help="leave out larger files")
    parser.add_argument(
        "--without", nargs="*", default=[], metavar="NAME", help="leave out files with this in their names"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scaling", action="store_true", help="one worker against two")
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs of --scaling")
    parser.add_argument("--scratch", type=Path, help="where to work, by default where the system has temporary files")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not (_CORPUS / "clips").is_dir():
        raise SystemExit(f"no corpus of real videos: {_CORPUS} has no clips/; set MGMTOOL_CORPUS")
    with tempfile.TemporaryDirectory(prefix="mgmtool-soak-", dir=given.scratch) as name:
        videos = Path(name) / "videos"
        inputs = make_corpus(videos, given.copies, given.most, given.without)
        if given.scaling:
            return 0 if scaling(inputs, videos, Path(name), given.runs, given.json) else 1
        report = soak(inputs, videos, Path(name) / "masks.zarr", given.workers)
        show(report, given.json)
        return 0 if report.fine else 1


if __name__ == "__main__":
    sys.exit(main())
