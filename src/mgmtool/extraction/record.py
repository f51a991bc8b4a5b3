"""What is kept of a run: its counts while it goes on, and the record that it leaves in the store."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import platform
import socket
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from time import perf_counter, process_time
from typing import Any

import mgmtool
from mgmtool import plugins
from mgmtool.engines import Engine, available_cpus
from mgmtool.errors import MgmtoolError, one_line
from mgmtool.profiling import Clock
from mgmtool.storage import public
from mgmtool.store import StoreWriter
from mgmtool.types import Outcome, VideoRef
from mgmtool.video.container import library_versions

FOLDER = "runs"
"""Folder of the records in a store."""

_INPUTS = 20
"""Most inputs that a record names."""

_STAGES = (
    "fetch",
    "open",
    "decode",
    "encode",
    "reduce",
    "evidence",
    "energy",
    "place",
    "spool",
    "wait",
    "append",
    "commit",
)
"""Stages of workers and driver, in the order of the work."""

_LIBRARIES = ("numpy", "numba", "zarr")
_log = logging.getLogger(__name__)


def versions() -> dict[str, str]:
    """Versions of everything that decides what a run does."""
    libraries = {name: metadata.version(name) for name in _LIBRARIES}
    return {"mgmtool": mgmtool.__version__, "python": platform.python_version(), **libraries, **library_versions()}


def engine_facts(engine: Engine) -> dict[str, Any]:
    """Name of an engine and its options."""
    name = type(engine).__module__.rpartition(".")[2]
    return {"name": name, "options": {key: _plain(value) for key, value in plugins.options(engine).items()}}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def known_bytes(videos: Sequence[VideoRef]) -> int | None:
    """Size of all files together; None where more than one in ten has a size that nobody knows."""
    sizes = [video.size for video in videos if video.size >= 0]
    return sum(sizes) if len(sizes) * 10 >= len(videos) * 9 else None


@dataclass(slots=True)
class Totals:
    """What a run has done so far.

    Attributes
    ----------
    done, failed : int
        Videos.
    failures : Counter
        Failed videos, by class.
    frames, size_bytes : int
        Frames of the videos that are done; input bytes of all.
    parts : int
        Parts committed.
    seconds, cpu_seconds : float
        Of the workers, in all.
    stages : dict
        Seconds of the workers by stage, where they were asked for.
    clock : Clock
        Stages of the driver.
    """

    done: int = 0
    failed: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    frames: int = 0
    size_bytes: int = 0
    parts: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    stages: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    clock: Clock = field(default_factory=Clock)
    _start: tuple[float, float] = field(default_factory=lambda: (perf_counter(), process_time()))

    def add(self, outcome: Outcome) -> None:
        """Count one more video."""
        self.done += outcome.done
        self.failed += not outcome.done
        if outcome.failure is not None:
            self.failures[outcome.failure] += 1
        if outcome.facts is not None:
            self.frames += outcome.facts.num_frames
        self.size_bytes += max(outcome.video.size, 0)
        self.seconds += outcome.seconds
        self.cpu_seconds += outcome.cpu_seconds
        for name, seconds in outcome.stages.items():
            self.stages[name] += seconds

    def start(self) -> None:
        """Begin to count time."""
        self._start = perf_counter(), process_time()

    @property
    def wall(self) -> float:
        """Seconds since the start."""
        return perf_counter() - self._start[0]

    def cpu(self, inside: bool) -> dict[str, float]:
        """CPU seconds of driver and workers; ``inside`` says that the driver is the worker, too."""
        driver = process_time() - self._start[1] - (self.cpu_seconds if inside else 0)
        return {"driver": round(max(driver, 0.0), 3), "workers": round(self.cpu_seconds, 3)}

    def profile(self) -> dict[str, Any]:
        """Seconds of each stage, its share, and its microseconds a frame; of all workers together, and of the driver."""
        return {
            "workers": _table(self.stages, self.seconds, self.frames),
            "driver": _table(self.clock.seconds, self.wall, self.frames),
        }


def _table(stages: Mapping[str, float], whole: float, frames: int) -> dict[str, dict[str, float]]:
    rest = max(whole - sum(stages.values()), 0.0)
    known = {name: stages[name] for name in _STAGES if name in stages}
    return {
        name: {
            "seconds": round(seconds, 4),
            "share": round(seconds / whole, 4) if whole else 0.0,
            "us_per_frame": round(seconds / frames * 1e6, 2) if frames else 0.0,
        }
        for name, seconds in {**known, **stages, "other": rest}.items()
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """What a record says of a run beyond what happened.

    Attributes
    ----------
    inputs : sequence of str
        As the caller gave them.
    engine : Engine
        Who does the work.
    shard : str
        Which of several drivers this is.
    videos, remaining : int
        Videos of the corpus; those to be done by this run.
    earlier : mapping
        Videos that earlier runs ended, by status.
    changed : int
        Videos whose files have changed since they were extracted.
    profile : bool
        Whether the record says where time went.
    """

    inputs: Sequence[str]
    engine: Engine
    shard: str
    videos: int
    remaining: int
    earlier: Mapping[str, int]
    changed: int
    profile: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "platform": platform.platform(),
            "cpus": available_cpus(),
            "versions": versions(),
            "engine": engine_facts(self.engine),
            "shard": self.shard,
            "inputs": {"count": len(self.inputs), "first": [one_line(public(name)) for name in self.inputs[:_INPUTS]]},
            **{f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name in _COUNTS},
        }


_COUNTS = ("videos", "remaining", "earlier", "changed")


@contextmanager
def recorded(writer: StoreWriter, asked: Asked, totals: Totals) -> Iterator[None]:
    """Write a record at the start and once more at the end, however that comes. A record never makes a run fail."""
    totals.start()
    started = datetime.now(UTC)
    name = f"{FOLDER}/{started:%Y%m%dT%H%M%SZ}-{_file_name(socket.gethostname())}-{os.getpid()}.json"
    facts = {"started": _stamp(started), **asked.to_json()}
    _write(writer, name, {"status": "running", **facts})
    status, error = "finished", None
    try:
        yield
    except BaseException as reason:
        status, error = _status(reason), reason
        raise
    finally:
        why = {"error": one_line(f"{type(error).__name__}: {error}")} if status == "failed" else {}
        _write(writer, name, {"status": status, **facts, **why, **_end(asked, totals)})


def _status(reason: BaseException) -> str:
    """How a run ended, by what ended it; a caller that wants no more is no failure."""
    if isinstance(reason, GeneratorExit):
        return "stopped"
    if isinstance(reason, KeyboardInterrupt):
        return "interrupted"
    return "failed" if isinstance(reason, Exception) else "terminated"


def _end(asked: Asked, totals: Totals) -> dict[str, Any]:
    inside = engine_facts(asked.engine)["name"] == "inline"
    return {
        "ended": _stamp(datetime.now(UTC)),
        "done": totals.done,
        "failed": totals.failed,
        "failures": dict(totals.failures),
        "parts": totals.parts,
        "num_frames": totals.frames,
        "size_bytes": totals.size_bytes,
        "seconds": round(totals.wall, 3),
        "cpu_seconds": totals.cpu(inside),
        **({"profile": totals.profile()} if asked.profile else {}),
    }


def _write(writer: StoreWriter, name: str, content: Mapping[str, Any]) -> None:
    try:
        writer.note(name, (json.dumps(content, indent=1) + "\n").encode())
    except (MgmtoolError, OSError) as error:
        _log.warning("the record of this run could not be written: %s", one_line(str(error)))


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _file_name(host: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "_" for c in host) or "host"


def worker_count(engine: Engine) -> int:
    """Count the processes that an engine keeps busy, or would on this machine."""
    facts = engine_facts(engine)
    return 1 if facts["name"] == "inline" else facts["options"].get("workers") or available_cpus()
