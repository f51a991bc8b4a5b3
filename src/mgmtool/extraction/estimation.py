"""Estimate how long a plan will take, and how large its store will be, from a few of its videos."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from mgmtool.errors import failure_of
from mgmtool.extraction.recipe import Recipe
from mgmtool.extraction.record import known_bytes
from mgmtool.extraction.stream import stream_masks
from mgmtool.storage import local_copy
from mgmtool.store import PartWriter, Store, StoreWriter
from mgmtool.types import ExtractSpec, MaskVolume, Outcome, VideoRef
from mgmtool.video.container import silence_ffmpeg

MOST_VIDEOS = 8
BUDGET_SECONDS = 20.0
"""Time after which no more of the sample is read."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a few videos say about all of them.

    Attributes
    ----------
    videos, failed : int
        Videos in the sample, and how many of them failed.
    frames : int
        Frames of the sample.
    sample_seconds : float
        Time the sample took, in one process.
    seconds : float
        Estimated time for all videos, in one process.
    all_frames : int
        Estimated frames of all videos.
    store_bytes : int
        Estimated size of the arrays of all videos.
    """

    videos: int
    failed: int
    frames: int
    sample_seconds: float
    seconds: float
    all_frames: int
    store_bytes: int

    def to_json(self, workers: int) -> dict[str, Any] | None:
        """Return plain values, the time divided among workers; None where no frame of the sample could be read."""
        if not self.frames:
            return None
        return {
            "sample_videos": self.videos,
            "sample_failed": self.failed,
            "sample_frames": self.frames,
            "sample_seconds": round(self.sample_seconds, 3),
            "seconds": round(self.seconds / workers, 1),
            "num_frames": self.all_frames,
            "store_bytes": self.store_bytes,
        }


@dataclass(slots=True)
class Sampled:
    """One video of the sample: ``share`` of it was read in ``seconds``."""

    video: VideoRef
    frames: int
    seconds: float
    share: float
    failed: bool


def estimate(
    videos: Sequence[VideoRef], spec: ExtractSpec | Recipe, scratch: str | None = None, budget: float = BUDGET_SECONDS
) -> Estimate | None:
    """Extract a few videos, spread evenly over all, into a temporary store, and project time and size from them.

    The projection is by input bytes where sizes are known, else by the number of videos.

    Parameters
    ----------
    videos : sequence of VideoRef
        All videos that are to be extracted.
    spec : ExtractSpec or Recipe
        What to extract.
    scratch : str, optional
        Folder for temporary files.
    budget : float
        Seconds after which no more frames are read, even in the middle of a video.

    Returns
    -------
    Estimate or None
        None where there is nothing to do.

    Raises
    ------
    UsageError
        See :meth:`Recipe.of`.
    """
    recipe = Recipe.of(spec)
    if not videos:
        return None
    silence_ffmpeg()
    tried: list[Sampled] = []
    with tempfile.TemporaryDirectory(prefix="mgmtool-", dir=scratch, ignore_cleanup_errors=True) as folder:
        store = f"{folder}/sample.zarr"
        writer = StoreWriter.open(store, recipe.spec, energy=recipe.stores_energy, input_root="", versions={})
        deadline = perf_counter() + budget
        with writer.part(0) as part:
            for video in spread(videos):
                tried.append(sample(part, video, recipe, folder, deadline))
                if perf_counter() > deadline:
                    break
            part.commit()
        stored = sum(Store.open(store).array_bytes().values())
    size, seen = known_bytes(videos), sum(one.share * max(one.video.size, 0) for one in tried)
    factor = size / seen if size is not None and seen else len(videos) / max(sum(one.share for one in tried), 1e-9)
    frames, seconds = sum(one.frames for one in tried), sum(one.seconds for one in tried)
    failed = sum(one.failed for one in tried)
    return Estimate(
        len(tried), failed, frames, seconds, seconds * factor, round(frames * factor), round(stored * factor)
    )


def spread(videos: Sequence[VideoRef], most: int = MOST_VIDEOS) -> list[VideoRef]:
    """Choose a few videos evenly over all: the middle one of each of so many equal stretches."""
    count = min(most, len(videos))
    return [videos[(2 * n + 1) * len(videos) // (2 * count)] for n in range(count)]


def sample(part: PartWriter, video: VideoRef, recipe: Recipe, folder: str, deadline: float) -> Sampled:
    """Extract a video up to the deadline, and see how much of it that was."""
    start, chunks = perf_counter(), list[MaskVolume]()
    try:
        with local_copy(video, folder) as local, stream_masks(local, recipe) as stream:
            for chunk in stream.chunks:
                chunks.append(chunk)
                if perf_counter() > deadline:
                    break
            facts = replace(stream.facts(), num_frames=sum(map(len, chunks)))
    except Exception as error:  # noqa: BLE001  one bad video never stops an estimate
        part.end_video(Outcome(video, None, *failure_of(error)))
        return Sampled(video, 0, perf_counter() - start, 1.0, True)
    for chunk in chunks:
        part.append(chunk)
    part.end_video(Outcome(video, facts))
    spent = perf_counter() - start
    late = perf_counter() > deadline  # then the video may have been read in part
    share = min(facts.num_frames / (stream.info.header_frames or facts.num_frames), 1.0) if late else 1.0
    return Sampled(video, facts.num_frames, spent, share, False)
