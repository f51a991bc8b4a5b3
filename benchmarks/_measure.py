"""One measurement: a process that warms up on a short film, then works on a file and says what that took.

The parent calls :func:`measure`; this file is also the script that it starts.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from _contenders import CONTENDERS, Contender, Seen

_TIMEOUT = 3600.0


class MeasureError(Exception):
    """A contender failed on a file."""


@dataclass(frozen=True)
class Measurement:
    """What one run over one file took: frames of all copies; seconds; largest memory; fingerprint of what it gave."""

    frames: int
    cpu: float
    wall: float
    peak_bytes: int
    seen: str | None = None


def measure(name: str, path: Path, film: Path, seeing: bool = False) -> Measurement:
    """Run a contender on a file in a process of its own; seeing what it gives takes time that is not to be reported."""
    command = [sys.executable, __file__, name, str(path), str(film), *(["--see"] if seeing else [])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise MeasureError(f"took more than {_TIMEOUT:.0f} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise MeasureError(lines[-1] if lines else f"exit code {done.returncode}")
    return Measurement(**json.loads(done.stdout.splitlines()[-1]))


# In the process of the contender.


def cpu_seconds() -> float:
    """CPU seconds of this process, of its children that have ended and of those that live, with theirs."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    living = psutil.Process().children(recursive=True)
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(sum(one.cpu_times()[:4]) for one in living)


def peak_bytes(contender: Contender) -> int:
    """Largest resident memory of this process, plus that of the largest worker times their number; or of a program."""
    for child in psutil.Process().children():
        if "forkserver" in " ".join(child.cmdline()):  # what it and its workers took is known once it has ended
            child.terminate()
            child.wait()
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    if contender.program is not None:
        return children
    # Not ru_maxrss, which starts with the memory of whoever started this process.
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise MeasureError("/proc/self/status: no VmHWM; this benchmark needs Linux")
    return int(found[1]) * 1024 + contender.workers * children


def run(contender: Contender, path: str, film: str, seen: Seen | None) -> Measurement:
    """Warm up, then work."""
    contender.work(film, None)
    cpu, wall = cpu_seconds(), time.perf_counter()
    frames = contender.work(path, seen)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    fingerprint = None if seen is None or contender.program else seen.hex()
    return Measurement(frames, cpu, wall, peak_bytes(contender), fingerprint)


def main() -> None:
    """Measure once, and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(CONTENDERS))
    parser.add_argument("path")
    parser.add_argument("film")
    parser.add_argument("--see", action="store_true")
    given = parser.parse_args()
    seen = Seen() if given.see else None
    print(json.dumps(asdict(run(CONTENDERS[given.name], given.path, given.film, seen))))


if __name__ == "__main__":
    main()
