"""One video in a worker, and what comes back from it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from mgmtool.corpus import content_fingerprint
from mgmtool.errors import PASSING, VideoError, failure_of
from mgmtool.extraction.journal import JournalEntry, JournalKey, JournalWriter
from mgmtool.extraction.recipe import Recipe
from mgmtool.extraction.stream import stream_masks, whole_video
from mgmtool.profiling import measured, stage
from mgmtool.storage import is_local, local_copy
from mgmtool.types import ExtractSpec, MaskVolume, Outcome, VideoRef
from mgmtool.video.container import silence_ffmpeg

_journals: dict[int, JournalWriter] = {}
"""The journal that this process writes, by process number: a fork has none."""


@dataclass(frozen=True, slots=True)
class Task:
    """A video of a part that is open.

    Attributes
    ----------
    video : VideoRef
        The input.
    folder : str
        Folder of the part's journals.
    """

    video: VideoRef
    folder: str


@dataclass(frozen=True, slots=True)
class VideoResult:
    """What a worker hands back: the outcome, and the masks, in memory or as a place in a journal.

    Attributes
    ----------
    outcome : Outcome
        How the video ended.
    chunks : list of MaskVolume
        The masks, where they are in memory.
    entry : JournalEntry or None
        Where the masks are in a journal, and the record of how the video ended.
    trouble : str or None
        Why the journal could not be written: nothing is known of the video, and the run cannot go on.
    """

    outcome: Outcome
    chunks: list[MaskVolume] = field(default_factory=list)
    entry: JournalEntry | None = None
    trouble: str | None = None

    def volumes(self) -> Iterator[MaskVolume]:
        """Yield the chunks in order."""
        return iter(self.chunks) if self.entry is None else self.entry.volumes()


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
    video: VideoRef, recipe: Recipe, scratch: str | None, fingerprint: bool = False, profile: bool = False
) -> VideoResult:
    """Turn one video into masks in memory, or into a failure with its class; never raises for a bad video.

    Parameters
    ----------
    video : VideoRef
        The input.
    recipe : Recipe
        What to extract.
    scratch : str or None
        Folder for the copy of a remote video; None is that of the system.
    fingerprint : bool
        Whether the outcome carries the XXH3 of the file.
    profile : bool
        Whether it carries the seconds of each stage.
    """
    chunks = list[MaskVolume]()
    outcome = _outcome(video, recipe, scratch, fingerprint, profile, chunks.append)
    return VideoResult(outcome, chunks if outcome.done else [])


def process_task(
    task: Task, recipe: Recipe, key: JournalKey, scratch: str | None, fingerprint: bool = False, profile: bool = False
) -> VideoResult:
    """Turn one video into masks in the journal of its part. Runs in a worker; memory does not grow with the length of a video.

    Parameters
    ----------
    task : Task
        The video, and where its part is.
    key : JournalKey
        What the journal is for.
    recipe, scratch, fingerprint, profile
        As for :func:`process_video`.
    """
    journal = _journal(task.folder, key)
    try:
        outcome = _outcome(task.video, recipe, scratch, fingerprint, profile, partial(_add, journal))
        if outcome.failure in PASSING or (outcome.failure == "open" and _vanished(task.video)):
            journal.undo()  # perhaps no fault of the video: for the driver to judge, and for the next run to try again
            return VideoResult(outcome)
        return VideoResult(outcome, entry=journal.end(outcome))
    except OSError as error:  # _outcome raises none but of the journal
        close_journal()
        return VideoResult(Outcome(task.video), trouble=error.strerror or str(error))


def _vanished(video: VideoRef) -> bool:
    return is_local(video.path) and not os.path.lexists(video.path)


class _JournalTrouble(Exception):
    """An error of the journal, which is none of the video."""


def _add(journal: JournalWriter, volume: MaskVolume) -> None:
    try:
        with stage("journal"):
            journal.add(volume)
    except OSError as error:
        raise _JournalTrouble from error


def _outcome(
    video: VideoRef,
    recipe: Recipe,
    scratch: str | None,
    fingerprint: bool,
    profile: bool,
    take: Callable[[MaskVolume], None],
) -> Outcome:
    """Hand on the masks of a video chunk by chunk, and say how it ended."""
    silence_ffmpeg()
    start, cpu = time.perf_counter(), time.process_time()
    outcome = Outcome(video)
    with measured(profile) as stages:
        try:
            with ExitStack() as stack:
                with stage("fetch"):
                    local = stack.enter_context(local_copy(video, scratch))
                    if fingerprint:
                        outcome = replace(outcome, fingerprint=content_fingerprint(local.path))
                stream = stack.enter_context(stream_masks(local, recipe))
                for volume in stream.chunks:
                    take(volume)
                outcome = replace(outcome, facts=stream.facts())
        except _JournalTrouble as trouble:
            raise trouble.__cause__ or trouble from None
        except Exception as error:  # noqa: BLE001  one bad video never stops a corpus
            failure, message = failure_of(error)
            outcome = replace(outcome, facts=None, failure=failure, message=message)
    wall, busy = time.perf_counter() - start, time.process_time() - cpu
    return replace(outcome, seconds=wall, cpu_seconds=busy, stages=dict(stages))


def _journal(folder: str, key: JournalKey) -> JournalWriter:
    """Return the journal that this process writes for a part; a process works on one part after the other."""
    journal = _journals.get(os.getpid())
    if journal is None or (journal.folder, journal.key) != (folder, key):
        close_journal()
        journal = _journals[os.getpid()] = JournalWriter(folder, key)
    return journal


def close_journal() -> None:
    """Close the journal that this process writes; its next video begins another."""
    journal = _journals.pop(os.getpid(), None)
    if journal is not None:
        journal.close()


def lost_video(task: Task, error: VideoError) -> VideoResult:
    """Make the result of a video whose worker could not answer."""
    return VideoResult(Outcome(task.video, None, error.failure, str(error)))
