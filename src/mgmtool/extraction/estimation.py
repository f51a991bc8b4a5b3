"""How long a plan will take and how large its store will be, told from a few of its videos."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from mgmtool import masking
from mgmtool.errors import failure_of
from mgmtool.extraction.record import known_bytes
from mgmtool.extraction.stream import stream_masks
from mgmtool.storage import local_copy
from mgmtool.store import PartWriter, StoreWriter, open_store
from mgmtool.types import ExtractSpec, MaskVolume, Outcome, VideoRef
from mgmtool.video.container import silence_ffmpeg

MOST_VIDEOS = 8
BUDGET_SECONDS = 20.0
"""Time after which no more of a sample is looked at."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a few videos say of all that are to be done.

    Attributes
    ----------
    videos, failed : int
        Videos that were tried, and those of them that failed.
    frames : int
        Frames of the sample.
    sample_seconds : float
        Time they took, in one process.
    seconds : float
        Time that all will take one process.
    all_frames : int
        Frames of all.
    store_bytes : int
        Bytes of their arrays in the store.
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
class _Tried:
    """What was seen of one video: ``share`` of it, in ``seconds``."""

    video: VideoRef
    frames: int
    seconds: float
    share: float
    failed: bool


def estimate(
    videos: Sequence[VideoRef], spec: ExtractSpec, scratch: str | None = None, budget: float = BUDGET_SECONDS
) -> Estimate | None:
    """Extract a few videos, spread evenly over all, into a store that is thrown away, and project what they took.

    By input bytes where sizes are known, by videos where not.

    Parameters
    ----------
    videos : sequence of VideoRef
        All that are to be done.
    spec : ExtractSpec
        What to extract.
    scratch : str, optional
        Folder for temporary files.
    budget : float
        Seconds after which no more is looked at, in the middle of a video, too.

    Returns
    -------
    Estimate or None
        None where there is nothing to do.
    """
    if not videos:
        return None
    silence_ffmpeg()
    with tempfile.TemporaryDirectory(prefix="mgmtool-", dir=scratch, ignore_cleanup_errors=True) as folder:
        store = f"{folder}/sample.zarr"
        writer = StoreWriter.open(store, spec, energy=_has_energy(spec), input_root="", versions={})
        with writer.part(0) as part:
            tried = list(_try_some(part, spread(videos), spec, folder, perf_counter() + budget))
            part.commit()
        stored = sum(open_store(Path(store)).array_bytes().values())
    return _project(videos, tried, stored)


def spread(videos: Sequence[VideoRef], most: int = MOST_VIDEOS) -> list[VideoRef]:
    """Choose a few videos evenly over all: the middle of each of so many stretches."""
    count = min(most, len(videos))
    return [videos[(2 * n + 1) * len(videos) // (2 * count)] for n in range(count)]


def _has_energy(spec: ExtractSpec) -> bool:
    return spec.energy and masking.build(spec.scheme, spec.scheme_options).needs_motion


def _try_some(
    part: PartWriter, videos: Sequence[VideoRef], spec: ExtractSpec, folder: str, deadline: float
) -> Iterator[_Tried]:
    for number, video in enumerate(videos):
        if number and perf_counter() > deadline:
            return
        yield _try(part, video, spec, folder, deadline)


def _try(part: PartWriter, video: VideoRef, spec: ExtractSpec, folder: str, deadline: float) -> _Tried:
    start = perf_counter()
    try:
        with local_copy(video, folder) as local, stream_masks(local, spec) as stream:
            chunks = list(_until(deadline, stream.chunks))
            facts = replace(stream.facts(), num_frames=sum(map(len, chunks)))
    except Exception as error:  # noqa: BLE001  one bad video never stops an estimate
        part.end_video(Outcome(video, None, *failure_of(error)))
        return _Tried(video, 0, perf_counter() - start, 1.0, True)
    for chunk in chunks:
        part.append(chunk)
    part.end_video(Outcome(video, facts))
    spent = perf_counter() - start
    late = perf_counter() > deadline  # then it may be there in part
    share = min(facts.num_frames / (stream.info.header_frames or facts.num_frames), 1.0) if late else 1.0
    return _Tried(video, facts.num_frames, spent, share, False)


def _until(deadline: float, chunks: Iterator[MaskVolume]) -> Iterator[MaskVolume]:
    for chunk in chunks:
        yield chunk
        if perf_counter() > deadline:
            return


def _project(videos: Sequence[VideoRef], tried: Sequence[_Tried], stored: int) -> Estimate:
    size = known_bytes(videos)
    seen = sum(one.share * max(one.video.size, 0) for one in tried)
    factor = size / seen if size is not None and seen else len(videos) / max(sum(one.share for one in tried), 1e-9)
    frames, seconds = sum(one.frames for one in tried), sum(one.seconds for one in tried)
    failed = sum(one.failed for one in tried)
    return Estimate(
        len(tried), failed, frames, seconds, seconds * factor, round(frames * factor), round(stored * factor)
    )
