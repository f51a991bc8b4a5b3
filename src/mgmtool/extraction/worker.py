"""One video in a worker, and what comes back from it."""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from mgmtool.corpus import content_fingerprint
from mgmtool.errors import VideoError, failure_of
from mgmtool.extraction.recipe import Recipe
from mgmtool.extraction.stream import stream_masks, whole_video
from mgmtool.profiling import measured, stage
from mgmtool.storage import local_copy
from mgmtool.types import ExtractSpec, MaskVolume, Outcome, VideoRef
from mgmtool.video.container import silence_ffmpeg

if TYPE_CHECKING:
    from mgmtool.store import PartWriter  # a worker writes nothing, and loads no Zarr

_SPOOL_FRAMES = 16 * 2048
"""Frames that a worker holds in memory; a longer video goes through a temporary file, so memory does not grow with length."""


@dataclass(frozen=True, slots=True)
class VideoResult:
    """What a worker hands back: the outcome, and the masks as chunks or as a file of chunks."""

    outcome: Outcome
    chunks: list[MaskVolume] = field(default_factory=list)
    spool: str | None = None

    def volumes(self) -> Iterator[MaskVolume]:
        """Yield the chunks in order."""
        if self.spool is not None:
            end = Path(self.spool).stat().st_size
            with Path(self.spool).open("rb") as file:
                while file.tell() < end:
                    yield pickle.load(file)  # noqa: S301  written by our own worker a moment ago
        yield from self.chunks

    def hand_over(self, part: PartWriter, outcome: Outcome, supersedes: int | None) -> None:
        """Append the masks to a part and end the video there; whatever comes of it, the spool file is removed."""
        try:
            for volume in self.volumes():
                part.append(volume)
            part.end_video(outcome, supersedes)
        finally:
            self.drop()

    def drop(self) -> None:
        """Remove the spool file."""
        if self.spool is not None:
            Path(self.spool).unlink(missing_ok=True)


def extract_video(path: str | Path, spec: ExtractSpec | None = None) -> MaskVolume:
    """Compute the masks of one video, for notebooks and tests.

    The id of the video, from which random schemes draw, is its file name.

    Raises
    ------
    VideoError
        The video failed.
    """
    return whole_video(VideoRef(Path(path).name, str(path)), spec or ExtractSpec())[0]


def process_video(
    video: VideoRef, recipe: Recipe, spool: str, fingerprint: bool = False, profile: bool = False
) -> VideoResult:
    """Turn one video into masks, or into a failure with its class. Runs in a worker; never raises for a bad video.

    Parameters
    ----------
    video : VideoRef
        The input.
    recipe : Recipe
        What to extract.
    spool : str
        Folder for the masks of videos too long for memory, and for the copy of a remote video.
    fingerprint : bool
        Whether the outcome carries the XXH3 of the file.
    profile : bool
        Whether it carries the seconds of each stage.
    """
    silence_ffmpeg()
    start, cpu = time.perf_counter(), time.process_time()
    outcome = Outcome(video)
    chunks, file = list[MaskVolume](), None
    with measured(profile) as stages:
        try:
            with ExitStack() as stack:
                with stage("fetch"):
                    local = stack.enter_context(local_copy(video, spool))
                    if fingerprint:
                        outcome = replace(outcome, fingerprint=content_fingerprint(local.path))
                stream = stack.enter_context(stream_masks(local, recipe))
                for volume in stream.chunks:
                    chunks.append(volume)
                    if sum(map(len, chunks)) >= _SPOOL_FRAMES:
                        file, chunks = _spool(chain(chunks, stream.chunks), spool), []
                outcome = replace(outcome, facts=stream.facts())
        except Exception as error:  # noqa: BLE001  one bad video never stops a corpus
            failure, message = failure_of(error)
            outcome = replace(outcome, failure=failure, message=message)
    wall, busy = time.perf_counter() - start, time.process_time() - cpu
    spent = replace(outcome, seconds=wall, cpu_seconds=busy, stages=dict(stages))
    return VideoResult(spent, chunks, file) if spent.done else VideoResult(spent)


def _spool(volumes: Iterable[MaskVolume], folder: str) -> str:
    """Write chunks to a temporary file and return its path."""
    with stage("spool"), tempfile.NamedTemporaryFile(dir=folder, suffix=".chunks", delete=False) as file:
        try:
            for volume in volumes:
                pickle.dump(volume, file, pickle.HIGHEST_PROTOCOL)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return file.name


def lost_video(video: VideoRef, error: VideoError) -> VideoResult:
    """Make the result of a video whose worker could not answer."""
    return VideoResult(Outcome(video, None, error.failure, str(error)))
