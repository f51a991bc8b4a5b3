"""How fast a mask store answers a training loader: one clip from disk, from mapped memory and from RAM, and a batch.

Extracts the real videos of $MGMTOOL_CORPUS, or makes up the energy of 200 videos, and asks for 16 frames at stride 2 of random
videos in random crops, masked by the default scheme on 14x14 tokens. With PyTorch, a data loader asks too: with no worker, and
with one and two that are forked and spawned; the masks have to be the same.

    python benchmarks/loader.py [--clips 2000] [--made-up]
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import mgmtool
from mgmtool import Clip, ExtractSpec, MaskStore, MaskVolume, Outcome
from mgmtool.extraction import extract
from mgmtool.store import StoreWriter
from mgmtool.types import Orientation, VideoFacts, VideoInfo, VideoRef

FRAMES, STRIDE, BATCH = 16, 2, 64
CACHES = (None, "mmap", "ram")


def made_up_store(path: Path, videos: int = 200, frames: int = 300) -> None:
    """Write a store of random energy, in parts of 256 videos as usual."""
    random = np.random.default_rng(0)
    spec = ExtractSpec()
    info = VideoInfo(256, 340, Orientation(), "h264", "mov,mp4", Fraction(25), Fraction(1, 12800), frames)
    facts = VideoFacts(info, "codec", frames, frames, 0, 0, ())
    writer = StoreWriter.open(path, spec, energy=True, input_root="/videos", versions={})
    with writer.part(0) as part:
        for number in range(videos):
            part.append(
                MaskVolume(
                    mask=random.random((frames, 14, 14)) < 0.75,
                    box=np.zeros((frames, 4), np.int16),
                    pts=np.arange(frames, dtype=np.int64) * 512,
                    flags=(random.random(frames) < 0.01).astype(np.uint8) * np.uint8(8),
                    energy=np.minimum(random.exponential(20, (frames, 16, 16)), 255).astype(np.uint8),
                    energy_scale=random.random(frames, np.float32),
                )
            )
            video_id = f"{number:03}.mp4"
            part.end_video(Outcome(VideoRef(video_id, f"/videos/{video_id}"), facts, seconds=1.0, part=0))
        part.commit()


def make_store(path: Path, made_up: bool) -> str:
    """Write the store; say what it is of."""
    corpus = Path(os.environ.get("MGMTOOL_CORPUS", Path(__file__).parents[2] / "shared" / "corpus")) / "clips"
    if made_up or not corpus.is_dir():
        made_up_store(path)
        return "made-up energy"
    list(extract([str(corpus)], path, ExtractSpec(), "inline"))
    return "real videos"


def random_clips(store: MaskStore, count: int, seed: int = 0) -> list[Clip]:
    """Draw clips of videos that are long enough, each in a crop of half its area or more."""
    random = np.random.default_rng(seed)
    span = (FRAMES - 1) * STRIDE + 1
    known = [rows for rows in map(store.videos.find, store) if len(rows) >= span]
    clips = []
    for rows in (known[n] for n in random.integers(len(known), size=count)):
        first = int(random.integers(len(rows) - span + 1))
        height, width = (int(side * random.uniform(0.71, 1)) for side in (rows.height, rows.width))
        top, left = int(random.integers(rows.height - height + 1)), int(random.integers(rows.width - width + 1))
        frames = range(first, first + span, STRIDE)
        clips.append(
            Clip(rows.id, frames, (top, left, height, width), bool(random.integers(2)), int(random.integers(2**62)))
        )
    return clips


def milliseconds(function: Callable[[Any], Any], arguments: Sequence[Any]) -> tuple[float, float]:
    """Median and 99th percentile of the wall time of a call."""
    times = []
    for argument in arguments:
        start = time.perf_counter()
        function(argument)
        times.append((time.perf_counter() - start) * 1e3)
    return float(np.median(times)), float(np.percentile(times, 99))


@dataclass(frozen=True)
class Latency:
    """Median and 99th percentile of the milliseconds of one clip and of a batch; what a cache costs."""

    clip: tuple[float, float]
    batch: tuple[float, float]
    preload_seconds: float
    megabytes_a_million_frames: float


def latency(path: Path, cache: str | None, clips: list[Clip], folder: Path) -> Latency:
    """Ask for every clip alone, then for all in batches."""
    store = mgmtool.open_store(path, cache, cache_folder=folder)
    start = time.perf_counter()
    store.preload()
    opening = time.perf_counter() - start
    store.batch(clips[:BATCH])
    clip = milliseconds(lambda one: store.batch([one]), clips)
    batch = milliseconds(store.batch, [clips[n : n + BATCH] for n in range(0, len(clips) - BATCH + 1, BATCH)])
    arrays = [array for arrays in store.arrays._parts.values() for array in arrays.values()]
    return Latency(clip, batch, opening, sum(array.nbytes for array in arrays) / frames_of(store))


def show(cache: str | None, found: Latency) -> None:
    """Print the latency of a clip and of a batch, and what a cache costs."""
    size = f"{found.megabytes_a_million_frames:.0f} MB a million frames" if cache else ""
    print(
        f"{cache or 'disk':5} clip {found.clip[0]:6.3f} ms, p99 {found.clip[1]:6.3f}   batch of {BATCH} "
        f"{found.batch[0]:7.2f} ms, p99 {found.batch[1]:7.2f}   preload {found.preload_seconds:.2f} s   {size}"
    )


def frames_of(store: MaskStore) -> int:
    """Frames of all videos that are done."""
    return sum(len(store.videos.find(name)) for name in store)


class Asking:
    """A data set whose samples are batches of masks."""

    def __init__(self, store: MaskStore, batches: list[list[Clip]]) -> None:
        self.store, self.batches = store, batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> np.ndarray[Any, Any]:
        return np.stack([found.mask for found in self.store.batch(self.batches[number])])


def measure_data_loader(path: Path, clips: list[Clip]) -> None:
    """Print clips a second through a data loader; stops where the masks are not those of one process."""
    from torch.utils.data import DataLoader

    batches = [clips[n : n + BATCH] for n in range(0, len(clips) - BATCH + 1, BATCH)]
    expected = None
    for workers, start in ((0, None), (1, "fork"), (2, "fork"), (1, "spawn"), (2, "spawn")):
        store = mgmtool.open_store(path, "ram")
        store.preload()
        data: Any = Asking(store, batches)
        loader: Any = DataLoader(
            data,
            batch_size=None,
            num_workers=workers,
            multiprocessing_context=start,
            persistent_workers=workers > 0,
        )
        found = digest(loader)  # starts the workers
        begin = time.perf_counter()
        again = digest(loader)
        rate = len(batches) * BATCH / (time.perf_counter() - begin)
        expected = expected or found
        if found != expected or again != expected:
            raise SystemExit(f"{workers} workers, {start}: other masks than without workers")
        print(f"DataLoader, {workers} workers {start or '':5} {rate:8.0f} clips/s, same masks")


def digest(loader: Any) -> str:
    """Fingerprint of all masks, in order."""
    found = hashlib.blake2b(digest_size=16)
    for masks in loader:
        found.update(np.asarray(masks).tobytes())
    return found.hexdigest()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--made-up", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "m.zarr"
        kind = make_store(path, given.made_up)
        store = mgmtool.open_store(path)
        print(f"{kind}: {len(store)} videos, {frames_of(store)} frames; {given.clips} clips of {FRAMES} frames")
        clips = random_clips(store, given.clips)
        for cache in CACHES:
            show(cache, latency(path, cache, clips, Path(scratch) / "cache"))
        if importlib.util.find_spec("torch") is None:
            print("DataLoader: no PyTorch here")
        else:
            measure_data_loader(path, clips)


if __name__ == "__main__":
    main()
