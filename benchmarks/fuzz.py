"""Extracts thousands of damaged files: none may stop the run, and each must end as done or as failed with its class.

Takes six small films of $MGMTOOL_CORPUS, or makes six where there is none, and damages them in ways that depend only on the seed
and the number of the case. Batches go through ``extract`` with the local engine, each in a process of its own. Prints how many
cases ended in which class, and the cases whose worker died, which ``--only NUMBER`` makes and runs again.

Ends with 1 if a case is missing, the process died, what was stored of a case is inconsistent, or an error nobody foresaw was
raised in Python; a worker that died in a decoder is accounted for, and only reported.

    python benchmarks/fuzz.py [--cases 2000] [--seed 0] [--only NUMBER ...] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from mutations import mutate

from mgmtool import engines
from mgmtool.extraction import extract
from mgmtool.store import Store
from mgmtool.types import ExtractSpec, Outcome

_FILMS = (
    *(
        "clips/edge/sleap/small_robot_3_frame.mp4",
        "clips/codec/torchcodec/h264_10bits.mp4",
        "clips/edge/shaka-player/ad.ts",
    ),
    *(
        "clips/action/debian-pytorch-vision/RATRACE_wave_f_nm_np1_fr_goo_37.avi",
        "clips/rotated/PHP-FFMpeg/portrait.MOV",
    ),
    "clips/action/smth-smth-v2-baseline-with-models/vid.mp4",
)
_MADE = {
    "h264.mp4": ("libx264", "yuv420p", {"bf": "2"}, {}),
    "fragments.mp4": ("libx264", "yuv420p10le", {"g": "6"}, {"movflags": "frag_keyframe+empty_moov"}),
    "h264.mkv": ("libx264", "yuv444p", {"bf": "2"}, {}),
    "mpeg4.avi": ("mpeg4", "yuv420p", {"bf": "1"}, {}),
    "mpeg2.ts": ("mpeg2video", "yuv420p", {"bf": "2"}, {}),
    "vp8.webm": ("libvpx", "yuv420p", {"deadline": "realtime"}, {}),
}
_BATCH = 200
_WORKERS, _TIMEOUT = 2, 20.0
_MEMORY = 8 << 30
"""Address space of a worker: what a damaged header asks for must not cost the machine its memory."""


def films(folder: Path) -> list[Path]:
    """Films to damage: those of the corpus, or made ones."""
    beside = Path(__file__).parents[2] / "shared" / "corpus"
    corpus = Path(os.environ.get("MGMTOOL_CORPUS") or beside)
    found = [corpus / name for name in _FILMS]
    if all(path.is_file() for path in found):
        return found
    return [_make(folder / name, *how) for name, how in _MADE.items()]


def _make(path: Path, codec: str, pixels: str, options: dict[str, str], wrapping: dict[str, str]) -> Path:
    """Write a film of 16 frames in which a texture moves."""
    texture = np.random.default_rng(0).integers(16, 235, (12, 16), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    with av.open(str(path), "w", options=wrapping) as output:
        stream: Any = output.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = texture.shape
        stream.pix_fmt, stream.codec_context.thread_count = pixels, 1
        for number in range(16):
            picture = np.roll(texture, 2 * number, axis=1)
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def write_case(number: int, seed: int, sources: list[Path], folder: Path) -> tuple[str, list[str]]:
    """Write one damaged file; return its name and what was done to it."""
    rng = random.Random(f"{seed}:{number}")
    source = sources[number % len(sources)]
    data, done = mutate(source.read_bytes(), rng)
    name = f"{number:06}-{source.name}"
    (folder / name).write_bytes(data)
    return name, done


# In the process of a batch.


def run_batch(folder: Path, report: Path) -> None:
    """Extract a folder; write one line of JSON per case."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    engine = engines.build("local", {"workers": _WORKERS, "timeout": _TIMEOUT})
    store = folder.with_suffix(".zarr")
    outcomes = list(extract([str(folder)], store, ExtractSpec(), engine))
    opened = Store.open(store)
    with report.open("w") as file:
        for outcome in outcomes:
            wrong = _wrong(opened, outcome) if outcome.done else None
            line = {"id": outcome.video.id, "failure": outcome.failure, "message": outcome.message, "wrong": wrong}
            file.write(json.dumps(line) + "\n")


def _wrong(store: Store, outcome: Outcome) -> str | None:
    """Say what does not hold of the stored masks of a case, or None."""
    volume, facts = store.volume(outcome.video.id), outcome.facts
    if facts is None or len(volume) != facts.num_frames or not facts.num_frames:
        return f"{len(volume)} rows for {facts and facts.num_frames} frames"
    hidden = set(volume.mask.sum(axis=(1, 2)).tolist())
    if hidden != {round(0.75 * volume.mask[0].size)}:
        return f"hidden patches of a frame: {sorted(hidden)}"
    y0, x0, y1, x1 = volume.box.T
    inside = (y0 >= 0) & (y0 < y1) & (y1 <= facts.info.height) & (x0 >= 0) & (x0 < x1) & (x1 <= facts.info.width)
    if not inside.all():
        return f"box {volume.box[~inside][0].tolist()} in a picture of {facts.info.height} x {facts.info.width}"
    return None if np.isfinite(volume.energy_scale).all() else "energy is not finite"


# In the process that counts.


class Result(dict[str, Any]):
    """How every case ended, by name; and what went wrong with the driver."""

    def __init__(self) -> None:
        super().__init__()
        self.damage: dict[str, list[str]] = {}
        self.troubles: list[str] = []

    def crashes(self) -> list[tuple[str, str]]:
        """Names and messages of the cases of class crash."""
        return [(name, line["message"]) for name, line in self.items() if line["failure"] == "crash"]


def fuzz(numbers: list[int], seed: int, scratch: Path) -> Result:
    """Run the cases, batch by batch."""
    result, sources = Result(), films(scratch)
    for first in range(0, len(numbers), _BATCH):
        folder, report = scratch / f"batch-{first:06}", scratch / f"batch-{first:06}.jsonl"
        folder.mkdir()
        batch = dict(write_case(number, seed, sources, folder) for number in numbers[first : first + _BATCH])
        result.damage |= batch
        result.troubles += _extract_apart(folder, report, len(batch))
        if report.is_file():
            result |= {line["id"]: line for line in map(json.loads, report.read_text().splitlines())}
        print(f"{len(result)} of {len(numbers)} cases", file=sys.stderr, flush=True)
    return result


def _extract_apart(folder: Path, report: Path, cases: int) -> list[str]:
    """Run a batch in a process of its own; return what is to be said of that process."""
    command = [sys.executable, __file__, "--batch", str(folder), str(report)]
    limit = 120 + cases * _TIMEOUT / _WORKERS
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return [f"{folder.name}: the driver hung for {limit:g} s"]
    if ended.returncode:
        last = ended.stderr.strip().splitlines()[-1:] or ["no message"]
        return [f"{folder.name}: the driver ended with {ended.returncode}: {last[0]}"]
    return []


def report(result: Result) -> bool:
    """Print the table and the cases to look at; return whether all is well."""
    missing = sorted(result.damage.keys() - result.keys())
    wrong = [f"{name}: {line['wrong']}" for name, line in result.items() if line["wrong"]]
    classes = Counter(line["failure"] or "done" for line in result.values())
    print("| class | cases |\n|---|---|")
    for name, count in classes.most_common():
        print(f"| {name} | {count} |")
    foreign = []
    for name, message in result.crashes():
        print(f"crash: {name} ({', '.join(result.damage[name])}): {message}")
        foreign += [] if message.startswith("the worker died") else [name]
    for trouble in (*result.troubles, *wrong, *(f"missing: {name}" for name in missing)):
        print(trouble)
    return not (missing or wrong or foreign or result.troubles)


def main() -> None:
    """Run the cases and print how they ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, action="append", metavar="NUMBER", help="run this case alone")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the damaged files and stores here")
    parser.add_argument("--batch", type=Path, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.batch:
        run_batch(*given.batch)
        return
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        result = fuzz(given.only or list(range(given.cases)), given.seed, folder)
    well = report(result)
    print(f"{len(result)} cases in {time.perf_counter() - start:.0f} s, seed {given.seed}")
    sys.exit(not well)


if __name__ == "__main__":
    main()
