"""The counts of a run, and the record of itself that it leaves in the store."""

from __future__ import annotations

import json
import logging
import os
import platform
import socket
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    "journal",
    "wait",
    "append",
    "commit",
)
"""Stages of workers and driver, in the order of the work."""

_LIBRARIES = ("numpy", "numba", "zarr")
_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_log = logging.getLogger(__name__)


def versions() -> dict[str, str]:
    """Versions of everything that decides what a run does."""
    libraries = {name: metadata.version(name) for name in _LIBRARIES}
    return {"mgmtool": mgmtool.__version__, "python": platform.python_version(), **libraries, **library_versions()}


def engine_facts(engine: Engine) -> dict[str, Any]:
    """Name of an engine and its options."""
    plain = (bool, int, float, str, type(None))
    options = {key: value if isinstance(value, plain) else str(value) for key, value in plugins.options(engine).items()}
    return {"name": plugins.ENGINES.name_of(engine), "options": options}


def known_bytes(videos: Sequence[VideoRef]) -> int | None:
    """Size of all files together; None where more than one in ten has an unknown size."""
    sizes = [video.size for video in videos if video.size >= 0]
    return sum(sizes) if len(sizes) * 10 >= len(videos) * 9 else None


@dataclass(slots=True)
class RunTotals:
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

    def to_json(self, inside: bool, profile: bool) -> dict[str, Any]:
        """Return plain values; ``inside`` as in :meth:`cpu`, ``profile`` adds where the time went."""
        return {
            "done": self.done,
            "failed": self.failed,
            "failures": dict(self.failures),
            "parts": self.parts,
            "num_frames": self.frames,
            "size_bytes": self.size_bytes,
            "seconds": round(self.wall, 3),
            "cpu_seconds": self.cpu(inside),
            **({"profile": self.profile()} if profile else {}),
        }

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
class RunFacts:
    """What is known of a run before it starts; the first half of its record.

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

    @property
    def inside(self) -> bool:
        """Whether the driver does the work itself."""
        return plugins.ENGINES.name_of(self.engine) == "inline"

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
            "videos": self.videos,
            "remaining": self.remaining,
            "earlier": dict(self.earlier),
            "changed": self.changed,
        }


@contextmanager
def recorded(writer: StoreWriter, facts: RunFacts, totals: RunTotals) -> Iterator[None]:
    """Write a record at the start and again at the end, however that comes. A record never makes a run fail."""
    totals.start()
    started, host = datetime.now(UTC), socket.gethostname()
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "_" for c in host) or "host"
    name = f"{FOLDER}/{started:%Y%m%dT%H%M%S.%fZ}-{safe}-{os.getpid()}.json"
    known = {"started": f"{started:{_STAMP}}", **facts.to_json()}
    _write(writer, name, {"status": "running", **known})
    status, why = "finished", {}
    try:
        yield
    except GeneratorExit:  # a caller that wants no more is no failure
        status = "stopped"
        raise
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    except Exception as error:
        status, why = "failed", {"error": one_line(f"{type(error).__name__}: {error}")}
        raise
    except BaseException:
        status = "terminated"
        raise
    finally:
        ended = f"{datetime.now(UTC):{_STAMP}}"
        counts = totals.to_json(inside=facts.inside, profile=facts.profile)
        _write(writer, name, {"status": status, **known, **why, "ended": ended, **counts})


def _write(writer: StoreWriter, name: str, content: Mapping[str, Any]) -> None:
    try:
        writer.note(name, (json.dumps(content, indent=1) + "\n").encode())
    except (MgmtoolError, OSError) as error:
        _log.warning("the record of this run could not be written: %s", one_line(str(error)))


def worker_count(engine: Engine) -> int:
    """Count the processes that an engine keeps busy, or would on this machine."""
    facts = engine_facts(engine)
    counted: Callable[[], int] | None = getattr(engine, "processes", None)
    if counted is not None:
        return counted()
    return 1 if facts["name"] == "inline" else facts["options"].get("workers") or available_cpus()
