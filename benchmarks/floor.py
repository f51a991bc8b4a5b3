"""CPU time of an inline extraction against a bare decode of the same file, alternating in one run.

The floor decodes with the same options and touches nothing: one decoder thread, vectors exported, loop filter skipped. Kernels
are compiled before anything is timed. Prints the median of the ratios and their spread, for the masks alone and for a whole run
that makes, writes and commits a store of this one video: what a store costs is shared by up to 256 videos a part.

    python benchmarks/floor.py [--runs 5] [VIDEO ...]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

import av

from mgmtool import engines, extraction
from mgmtool.pipeline import warm_up, whole_video
from mgmtool.types import ExtractSpec, VideoRef

_DEFAULTS = ("vid_h264.mp4", "R6llTwEh07w.mp4", "v_SoccerJuggling_g23_c01.avi")


def floor(path: str) -> int:
    """Decode and touch nothing; return the number of frames."""
    with av.open(path, metadata_errors="replace") as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"flags2": "+export_mvs", "skip_loop_filter": "all"}
        return sum(1 for _ in container.decode(stream))


def extract(path: str, spec: ExtractSpec) -> int:
    """Extract one file into a fresh store; return the number of frames."""
    with tempfile.TemporaryDirectory() as folder:
        run = extraction.prepare([path], Path(folder) / "m.zarr", spec, engines.build("inline"))
        return sum(o.facts.num_frames for o in run.outcomes() if o.facts is not None)


def cpu(function, *arguments) -> tuple[float, int]:  # type: ignore[no-untyped-def]
    """CPU seconds of a call, all threads, and what it returned."""
    start = time.process_time()
    frames = function(*arguments)
    return time.process_time() - start, frames


def masks(path: str, spec: ExtractSpec) -> int:
    """Compute the masks of one file and write nothing; return the number of frames."""
    return len(whole_video(VideoRef(Path(path).name, path), spec)[0])


def measure(path: str, runs: int, spec: ExtractSpec) -> None:
    """Print two lines for one file: masks alone, and with a store made, written and committed for this one video."""
    times: dict[str, list[float]] = {"floor": [], "masks": [], "store": []}
    frames = floor(path)
    for _ in range(runs):
        for name, contender in (("floor", floor), ("masks", masks), ("store", extract)):
            seconds, counted = cpu(contender, path, *([] if name == "floor" else [spec]))
            if counted != frames:
                raise SystemExit(f"{path}: {frames} frames decoded, {counted} by {name}")
            times[name].append(seconds)
    for name in ("masks", "store"):
        ratios = sorted(ours / base for ours, base in zip(times[name], times["floor"], strict=True))
        base, ours = (statistics.median(times[key]) / frames * 1e3 for key in ("floor", name))
        print(
            f"{Path(path).name:32} {name} {frames:6} frames  floor {base:.3f} ms/frame  ours {ours:.3f} ms/frame  "
            f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f} .. {ratios[-1]:.3f})"
        )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    corpus = Path(os.environ.get("MGMTOOL_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))
    videos = given.videos or [str(path) for name in _DEFAULTS for path in corpus.rglob(name)]
    if not videos:
        raise SystemExit("no video given, and no corpus at $MGMTOOL_CORPUS")
    spec = ExtractSpec()
    warm_up(spec)
    for path in videos:
        extract(path, spec)
        measure(path, given.runs, spec)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
