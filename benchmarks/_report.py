"""What ``peers.py`` prints: Markdown of a report."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import av

_PACKAGES = ("mgmtool", "av", "numpy", "numba", "motion-vector-extractor", "opencv-python-headless")
_HEAD = (
    "contender",
    "CPU, ms/frame",
    "x floor",
    "beyond floor, ms",
    "wall, ms/frame",
    "frames/s",
    "peak MB",
    "frames",
    "same twice",
)


def environment() -> dict[str, str]:
    """Describe the machine and the versions, as they are before the race."""
    libraries = ", ".join(f"{name} {'.'.join(map(str, number))}" for name, number in av.library_versions.items())
    return {
        "processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "load before": ", ".join(f"{load:.2f}" for load in os.getloadavg()),
        "python": platform.python_version(),
        **{package: _version(package) for package in _PACKAGES},
        "FFmpeg of PyAV": libraries,
        "ffmpeg": _ffmpeg(),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _ffmpeg() -> str:
    if shutil.which("ffmpeg") is None:
        return "not installed"
    done = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[2]


def markdown(report: dict[str, Any]) -> str:
    """Write a report as Markdown: median (least .. most)."""
    lines = ["# Peers", "", *(f"- {name}: {value}" for name, value in report["environment"].items())]
    lines += [
        f"- median (least .. most) of {report['runs']} alternating runs; the ratio is that of CPU time in one round"
    ]
    for clip in report["clips"]:
        lines += ["", *_clip(clip)]
    lines += _table(
        "Start-up, seconds", [(name, _spread(found, 2)) for name, found in report.get("startup", {}).items()]
    )
    storage = report.get("storage", {"frames": 0, "bytes_a_frame": {}})
    lines += _table(f"Storage of {storage['frames']} frames, bytes a frame", list(storage["bytes_a_frame"].items()))
    lines += _loader(report.get("loader"))
    lines += [
        "",
        "## Contenders",
        "",
        *(f"- `{row['name']}`: {row['what']}" for row in report["clips"][0]["contenders"]),
    ]
    return "\n".join(lines) + "\n"


def _clip(clip: dict[str, Any]) -> list[str]:
    size = f"{clip['width']}x{clip['height']} {clip['codec']}, {clip['frames']} frames, {clip['seconds']:.1f} s"
    lines = [f"## {clip['clip']}: {size}", "", _row(_HEAD), _row(["---", *["---:"] * (len(_HEAD) - 1)])]
    lines += [_contender(row) for row in clip["contenders"]]
    if clip["scaling"]:
        lines += ["", f"Two workers against one: x {_spread(clip['scaling'], 2)} frames/s."]
    return lines + [f"\n**Wrong: {wrong}**" for wrong in clip["wrong"]]


def _contender(row: dict[str, Any]) -> str:
    if "measured" not in row or row["note"]:
        return _row([row["name"], row["note"], *[""] * (len(_HEAD) - 2)])
    copies = f"{row['frames'] // row['copies']} x {row['copies']}" if row["copies"] > 1 else str(row["frames"])
    same = {True: "yes", False: "**no**", None: "-"}[row["same_twice"]]
    spreads = [("cpu_ms_a_frame", 3), ("ratio_to_floor", 2), ("beyond_floor_ms_a_frame", 3), ("wall_ms_a_frame", 3)]
    cells = [_spread(row[name], digits) for name, digits in spreads]
    return _row(
        [row["name"], *cells, f"{row['frames_a_second']['median']:.0f}", f"{row['peak_megabytes']:.0f}", copies, same]
    )


def _loader(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return []
    rows = [
        (name, *(f"{median:.3f} (p99 {most:.3f})" for median, most in (one["clip"], one["batch"])))
        for name, one in found["caches"].items()
    ]
    return _table(f"Loader, milliseconds: one clip; a batch of {found['batch']}", rows)


def _table(title: str, rows: list[tuple[Any, ...]]) -> list[str]:
    """Return a table without a head, or nothing where there are no rows."""
    if not rows:
        return []
    width = len(rows[0])
    return ["", f"## {title}", "", _row([" "] * width), _row(["---"] * width), *map(_row, rows)]


def _row(cells: Any) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _spread(found: dict[str, float], digits: int) -> str:
    median, least, most = (f"{found[name]:.{digits}f}" for name in ("median", "min", "max"))
    return f"{median} ({least} .. {most})"
