"""CPU time of an inline extraction against a bare decode of the same file, alternating in one run.

The floor decodes with the same options and touches nothing: one decoder thread, vectors exported, loop filter skipped. Kernels
are compiled before anything is timed. Prints milliseconds a frame beyond the floor, and the median of the ratios and their
spread: for the masks of a scheme that looks at vectors alone, with the picture check, and with all evidence (the default); for a
whole run that makes, writes and commits a store of this one video, whose cost is shared by up to 256 videos a part.

    python benchmarks/floor.py [--runs 5] [VIDEO ...]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av

from mgmtool import engines, extraction
from mgmtool.pipeline import warm_up, whole_video
from mgmtool.types import ExtractSpec, VideoRef

_DEFAULTS = (
    *("clips/**/R6llTwEh07w.mp4", "clips/**/skateboarding.mp4", "clips/**/v_SoccerJuggling_g23_c01.avi"),
    *("groundtruth/dog/video.mp4", "groundtruth/scooter-black/video.mp4", "clips/**/vid_h264.mp4"),
)
_PICTURE = {"border_motion": False, "appearance": False}
_SPECS = {
    "vectors": ExtractSpec(scheme_options={**_PICTURE, "picture_check": False}),
    "+picture": ExtractSpec(scheme_options=_PICTURE),
    "+all": ExtractSpec(),
}


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


def cpu(function: Callable[[], int]) -> tuple[float, int]:
    """CPU seconds of a call, all threads, and what it returned."""
    start = time.process_time()
    frames = function()
    return time.process_time() - start, frames


def masks(path: str, spec: ExtractSpec) -> int:
    """Compute the masks of one file and write nothing; return the number of frames."""
    return len(whole_video(VideoRef(Path(path).name, path), spec)[0])


def measure(path: str, runs: int) -> None:
    """Print a line for each contender on one file."""
    contenders = {"floor": partial(floor, path)}
    contenders |= {name: partial(masks, path, spec) for name, spec in _SPECS.items()}
    contenders["store"] = partial(extract, path, ExtractSpec())
    times: dict[str, list[float]] = {name: [] for name in contenders}
    frames = floor(path)
    for _ in range(runs):
        for name, contender in contenders.items():
            seconds, counted = cpu(contender)
            if counted != frames:
                raise SystemExit(f"{path}: {frames} frames decoded, {counted} by {name}")
            times[name].append(seconds)
    floors = times.pop("floor")
    name = "/".join(Path(path).parts[-2:])
    print(f"{name}: {frames} frames, floor {statistics.median(floors) / frames * 1e3:.3f} ms/frame")
    for contender, seconds in times.items():
        ratios = sorted(ours / base for ours, base in zip(seconds, floors, strict=True))
        beyond = sorted((ours - base) / frames * 1e3 for ours, base in zip(seconds, floors, strict=True))
        print(
            f"  {contender:9} {statistics.median(beyond):6.3f} ms/frame beyond it ({beyond[0]:.3f} .. {beyond[-1]:.3f})  "
            f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} .. {ratios[-1]:.2f})"
        )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*")
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    corpus = Path(os.environ.get("MGMTOOL_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))
    videos = given.videos or [str(path) for pattern in _DEFAULTS for path in corpus.glob(pattern)]
    if not videos:
        raise SystemExit("no video given, and no corpus at $MGMTOOL_CORPUS")
    warm_up(ExtractSpec())
    for path in videos:
        extract(path, ExtractSpec())
        measure(path, given.runs)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
