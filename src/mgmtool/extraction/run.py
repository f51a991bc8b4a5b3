"""A run over a corpus: parts to an engine, results to the store."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

from mgmtool.corpus import Corpus, Part
from mgmtool.engines import Cluster, Engine
from mgmtool.errors import PartCommittedError, StoreBusyError, StoreWriteError, VideoError
from mgmtool.extraction.environment import judged
from mgmtool.extraction.recipe import Recipe
from mgmtool.extraction.record import RunFacts, RunTotals, known_bytes, recorded
from mgmtool.extraction.worker import lost_video, process_video
from mgmtool.profiling import Clock
from mgmtool.store import StoreWriter
from mgmtool.types import Outcome, Resume, VideoRef

OnCommit = Callable[[Part], None]

_PATIENCE = 600.0
"""Seconds for which a task waits for an earlier try of itself; longer than a network file system keeps locks of the dead."""


@dataclass(frozen=True, slots=True)
class Work:
    """How each video is worked on.

    Attributes
    ----------
    recipe : Recipe
        What is extracted.
    hashed : bool
        Whether outcomes carry the XXH3 of the file.
    scratch : str or None
        Folder for temporary files; None is that of the system.
    profile : bool
        Whether outcomes carry the seconds of each stage.
    """

    recipe: Recipe
    hashed: bool = False
    scratch: str | None = None
    profile: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told of commits, and the clock of the driver."""

    told: OnCommit
    clock: Clock = field(default_factory=Clock)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    recipe : Recipe
        What is extracted.
    corpus : Corpus
        All videos.
    parts : list of Part
        What is still to be done, by this driver.
    earlier : Counter
        Videos of this corpus that earlier runs ended and this one leaves alone, by status (``done``, ``failed``).
    changed : list of VideoRef
        Videos whose files have changed since they were extracted.
    resume : Resume
        How the run resumes what exists.
    """

    recipe: Recipe
    corpus: Corpus
    parts: list[Part]
    earlier: Counter[str]
    changed: list[VideoRef]
    resume: Resume

    @property
    def remaining(self) -> int:
        """Videos still to be done."""
        return sum(len(part.videos) for part in self.parts)

    @property
    def size_bytes(self) -> int | None:
        """Input bytes still to be done; None where too many sizes are unknown."""
        return known_bytes(self.videos())

    def videos(self) -> list[VideoRef]:
        """List the videos still to be done, in order."""
        return [video for part in self.parts for video in part.videos]


@dataclass(frozen=True, slots=True)
class ExtractRun(Plan):
    """A plan that is ready to start.

    Attributes
    ----------
    totals : RunTotals
        What was done so far.
    """

    _writer: StoreWriter
    _engine: Engine
    _scratch: str | None = None
    _inputs: tuple[str, ...] = ()
    _profile: bool = False
    totals: RunTotals = field(default_factory=RunTotals)

    def outcomes(self, on_commit: OnCommit | None = None) -> Generator[Outcome, None, None]:
        """Do the work; yield one outcome per video, in order, once its masks are with the part's writer.

        Closing the generator early drops the part being written; committed parts stay. A run that has something to do leaves a
        record of itself in the folder ``runs`` of the store, whatever ends it.

        Parameters
        ----------
        on_commit : callable, optional
            Called with each part once it is committed.

        Raises
        ------
        StoreBusyError
            Another driver is writing the same parts.
        StoreWriteError
            The store cannot be written.
        """

        def committed(part: Part) -> None:
            self.totals.parts += 1
            if on_commit is not None:
                on_commit(part)

        how = Work(self.recipe, self.resume.fingerprint == "content", self._scratch, self._profile)
        watch = Watch(committed, self.totals.clock)
        with self._writer.hold(self.resume.shard), self._recorded():
            if self.parts:
                if isinstance(self._engine, Cluster):
                    results = write_parts_elsewhere(self._writer, self._engine, self.parts, how, watch)
                else:
                    results = write_parts(self._writer, self._engine, self.parts, how, watch)
                with closing(results):  # before the record ends
                    for outcome in results:
                        self.totals.add(outcome)
                        yield outcome
            if self.resume.shard.count == 1:  # with several drivers, whoever ends last gathers the index
                self._writer.finish()

    def _recorded(self) -> AbstractContextManager[None]:
        """Keep a record of a run that has something to do."""
        if not self.parts:
            return nullcontext()
        counts = len(self.corpus.videos), self.remaining, dict(self.earlier), len(self.changed)
        facts = RunFacts(self._inputs, self._engine, str(self.resume.shard), *counts, self._profile)
        return recorded(self._writer, facts, self.totals)


def write_parts(
    writer: StoreWriter, engine: Engine, parts: list[Part], how: Work, watch: Watch
) -> Generator[Outcome, None, None]:
    """Write and commit parts one after the other, from one stream of results."""
    videos = (video for part in parts for video in part.videos)
    with tempfile.TemporaryDirectory(prefix="mgmtool-", dir=how.scratch, ignore_cleanup_errors=True) as spool:
        work = partial(process_video, recipe=how.recipe, spool=spool, fingerprint=how.hashed, profile=how.profile)
        results = engine.run(work, videos, lost_video)
        try:
            timed = watch.clock.timed(results, "wait")
            for part in parts:
                with writer.part(part.number) as growing:
                    for video in part.videos:
                        result = judged(next(timed), spool)
                        outcome = replace(result.outcome, part=part.number)
                        with watch.clock.stage("append"):
                            result.hand_over(growing, outcome, part.supersedes.get(video.id))
                        yield outcome
                    with watch.clock.stage("commit"):
                        growing.commit()
                watch.told(part)
        finally:
            results.close()


def write_parts_elsewhere(
    writer: StoreWriter, cluster: Cluster, parts: list[Part], how: Work, watch: Watch
) -> Generator[Outcome, None, None]:
    """Have each part written by a task of the engine, which commits it, too."""
    work = partial(write_part, writer=writer, engine=cluster.on_node(), how=how)
    results = cluster.run(work, parts, lost_part)
    try:
        for part, outcomes in zip(parts, watch.clock.timed(results, "wait"), strict=True):
            yield from outcomes
            watch.told(part)
    finally:
        results.close()


def write_part(part: Part, writer: StoreWriter, engine: Engine, how: Work) -> list[Outcome]:
    """Write and commit one part; what a task of an engine on other machines does.

    A part that was committed already, by a task that died before it could say so, is left as it is. One that is being
    written is waited for: the driver holds the store, so it can only be an earlier try of this task, which the cluster
    has given up though it still runs. It commits the part, or ends and leaves it to us.
    """
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return list(write_parts(writer, engine, [part], how, Watch(lambda _: None)))
        except PartCommittedError:
            return writer.outcomes(part.number, part.videos)
        except StoreBusyError:
            if time.monotonic() > end:
                raise
            time.sleep(1)


def lost_part(part: Part, error: VideoError) -> list[Outcome]:
    """Give up: a task that could not answer has left its part unwritten."""
    raise StoreWriteError(f"part {part.number} could not be written: {error}; run the same command again to resume")
