"""The race of ``peers.py``: every contender on one clip, alternately, and what follows from their measurements."""

from __future__ import annotations

import statistics
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from _clips import Clip
from _contenders import CONTENDERS, FLOOR, Contender
from _measure import MeasureError, Measurement, measure

_ONE, _TWO = "mgmtool-1-worker", "mgmtool-2-workers"


@dataclass
class Result:
    """Measurements of a contender on a clip; the note says why there are none."""

    name: str
    measured: list[Measurement] = field(default_factory=list)
    same_twice: bool | None = None
    note: str | None = None

    @property
    def contender(self) -> Contender:
        """Who it is."""
        return CONTENDERS[self.name]

    @property
    def usable(self) -> bool:
        """Whether there is anything to report."""
        return self.note is None and bool(self.measured)

    def try_measuring(self, clip: Clip, film: Path, seeing: bool = False) -> Measurement | None:
        """Measure once; a failure becomes the note."""
        try:
            return measure(self.name, clip.path, film, seeing)
        except MeasureError as error:
            self.note = f"failed: {error}"
            return None

    def per_frame(self, what: str) -> list[float]:
        """Milliseconds a frame of every run, of ``cpu`` or ``wall``."""
        return [getattr(one, what) / one.frames * 1e3 for one in self.measured]


def race(clip: Clip, names: list[str], runs: int, film: Path) -> list[Result]:
    """Measure every contender once a round, so that whatever else this machine does meets all alike."""
    results = [Result(name, note=_why_not(CONTENDERS[name], clip)) for name in names]
    for number in range(runs):
        for result in results:
            if result.note is None and (found := result.try_measuring(clip, film)):
                result.measured.append(found)
                milliseconds = found.cpu / found.frames * 1e3
                print(f"{clip.name}: {result.name}, run {number + 1}: {milliseconds:.3f} ms/frame", file=sys.stderr)
    if clip.original:
        for result in results:
            _compare(result, clip, film)
    return results


def _why_not(contender: Contender, clip: Clip) -> str | None:
    if not contender.installed:
        return "not installed"
    if contender.clips == "originals" and not clip.original:
        return "not run: too slow"
    if contender.clips == "loops" and not clip.longest:
        return "not run: clip too short"
    return None


def _compare(result: Result, clip: Clip, film: Path) -> None:
    """Run twice more and see whether both gave the same."""
    if result.note is not None:
        return
    found = [result.try_measuring(clip, film, seeing=True) for _ in range(2)]
    seen = {None if one is None else one.seen for one in found}
    result.same_twice = None if None in seen else len(seen) == 1


def figures(result: Result, base: Result) -> dict[str, Any]:
    """What is reported of a contender; ratios are of runs of the same round."""
    known = {"name": result.name, "what": result.contender.what, "note": result.note}
    if not result.usable:
        return known
    cpu, floors = result.per_frame("cpu"), base.per_frame("cpu")
    return {
        **known,
        "frames": result.measured[0].frames,
        "copies": result.contender.copies,
        "cpu_ms_a_frame": spread(cpu),
        "wall_ms_a_frame": spread(result.per_frame("wall")),
        "frames_a_second": spread([1e3 / wall for wall in result.per_frame("wall")]),
        "ratio_to_floor": spread([ours / least for ours, least in zip(cpu, floors, strict=True)]),
        "beyond_floor_ms_a_frame": spread([ours - least for ours, least in zip(cpu, floors, strict=True)]),
        "peak_megabytes": max(one.peak_bytes for one in result.measured) / 1e6,
        "same_twice": result.same_twice,
        "measured": [asdict(one) for one in result.measured],
    }


def reported(clip: Clip, results: list[Result]) -> dict[str, Any]:
    """What is reported of a clip."""
    base = next(result for result in results if result.name == FLOOR)
    if not base.usable:
        raise SystemExit(f"{clip.path}: the floor {base.note}")
    rows = [figures(result, base) for result in results]
    facts = {"clip": clip.name, "path": str(clip.path), "width": clip.width, "height": clip.height, "codec": clip.codec}
    facts |= {"frames": clip.frames, "seconds": clip.seconds, "times": clip.times}
    return {
        **facts,
        "contenders": rows,
        "scaling": _scaling({row["name"]: row for row in rows}),
        "wrong": _wrong(clip, rows),
    }


def _scaling(rows: dict[str, Any]) -> dict[str, float] | None:
    """Frames a second of two workers over those of one."""
    if "measured" not in rows.get(_ONE, {}) or "measured" not in rows.get(_TWO, {}):
        return None
    pairs = zip(rows[_ONE]["measured"], rows[_TWO]["measured"], strict=True)
    return spread([one["wall"] / two["wall"] for one, two in pairs])


def _wrong(clip: Clip, rows: list[dict[str, Any]]) -> list[str]:
    """Contenders of mgmtool that failed, or found other frames than there are."""
    ours = [row for row in rows if row["name"].startswith("mgmtool")]
    failed = [f"{row['name']} {row['note']}" for row in ours if (row["note"] or "").startswith("failed")]
    counts = [(row["name"], row["frames"] // row["copies"]) for row in ours if "frames" in row]
    return failed + [
        f"{name}: {count} frames; expected {clip.frames}" for name, count in counts if count != clip.frames
    ]


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}
