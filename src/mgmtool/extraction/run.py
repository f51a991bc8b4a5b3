"""A run over a corpus: parts to an engine, results to the store."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

from mgmtool.corpus import Corpus, Part
from mgmtool.engines import Cluster, Engine
from mgmtool.errors import PartCommittedError, StoreBusyError, StoreWriteError, VideoError
from mgmtool.extraction.record import Asked, Totals, known_bytes, recorded
from mgmtool.extraction.worker import VideoResult, lost_video, process_video
from mgmtool.profiling import Clock
from mgmtool.store import PartWriter, StoreWriter
from mgmtool.types import Outcome, Resume, VideoRef

OnCommit = Callable[[Part], None]

_PATIENCE = 600.0
"""Seconds for which a task waits for an earlier try of itself; longer than a network file system keeps locks of the dead."""


@dataclass(frozen=True, slots=True)
class Work:
    """How videos are worked on, beyond the spec.

    Attributes
    ----------
    hashed : bool
        Whether outcomes carry the XXH3 of the file.
    scratch : str or None
        Folder for temporary files; None is that of the system.
    profile : bool
        Whether outcomes carry the seconds of each stage.
    """

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
    corpus : Corpus
        All videos.
    parts : list of Part
        What is still to be done, by this driver.
    earlier : Counter
        Videos of this corpus that earlier runs ended and this one leaves alone, by status (``done``, ``failed``).
    changed : list of VideoRef
        Videos whose files have changed since they were extracted.
    resume : Resume
        How the run goes on with what is there.
    """

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
    totals : Totals
        What was done so far.
    """

    _writer: StoreWriter
    _engine: Engine
    _scratch: str | None = None
    _inputs: tuple[str, ...] = ()
    _profile: bool = False
    totals: Totals = field(default_factory=Totals)

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
        watch = Watch(partial(self._committed, on_commit or _silent), self.totals.clock)
        with self._writer.run(self.resume.shard), self._record():
            if self.parts:
                yield from self._counted(self._work(watch))
            if self.resume.shard.count == 1:  # with several drivers, whoever ends last gathers the index
                self._writer.finish()

    def _work(self, watch: Watch) -> Generator[Outcome, None, None]:
        if isinstance(self._engine, Cluster):
            return self._parts_elsewhere(self._engine, watch)
        return write_parts(self._writer, self._engine, self.parts, iter(self.videos()), self._how(), watch)

    def _counted(self, outcomes: Generator[Outcome, None, None]) -> Iterator[Outcome]:
        with closing(outcomes):  # before the record is written
            for outcome in outcomes:
                self.totals.add(outcome)
                yield outcome

    def _committed(self, told: OnCommit, part: Part) -> None:
        self.totals.parts += 1
        told(part)

    def _record(self) -> AbstractContextManager[None]:
        if not self.parts:
            return nullcontext()
        counts = len(self.corpus.videos), self.remaining, dict(self.earlier), len(self.changed)
        asked = Asked(self._inputs, self._engine, str(self.resume.shard), *counts, self._profile)
        return recorded(self._writer, asked, self.totals)

    def _how(self) -> Work:
        return Work(self.resume.fingerprint == "content", self._scratch, self._profile)

    def _parts_elsewhere(self, cluster: Cluster, watch: Watch) -> Generator[Outcome, None, None]:
        """Have each part written by a task of the engine, which commits it, too."""
        work = partial(write_part, writer=self._writer, engine=cluster.on_node(), how=self._how())
        results = cluster.run(work, self.parts, _lost_part)
        try:
            for part, outcomes in zip(self.parts, watch.clock.timed(results, "wait"), strict=True):
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
            return list(write_parts(writer, engine, [part], iter(part.videos), how, Watch(_silent)))
        except PartCommittedError:
            return writer.outcomes(part.number, part.videos)
        except StoreBusyError:
            if time.monotonic() > end:
                raise
            time.sleep(1)


def write_parts(
    writer: StoreWriter, engine: Engine, parts: list[Part], videos: Iterator[VideoRef], how: Work, watch: Watch
) -> Generator[Outcome, None, None]:
    """Write and commit parts one after the other, from one stream of results."""
    with tempfile.TemporaryDirectory(prefix="mgmtool-", dir=how.scratch, ignore_cleanup_errors=True) as spool:
        work = partial(process_video, spec=writer.spec, spool=spool, fingerprint=how.hashed, profile=how.profile)
        results = engine.run(work, videos, lost_video)
        try:
            for part in parts:
                yield from _write(writer, part, watch.clock.timed(results, "wait"), watch.clock)
                watch.told(part)
        finally:
            results.close()


def _write(writer: StoreWriter, part: Part, results: Iterator[VideoResult], clock: Clock) -> Iterator[Outcome]:
    with writer.part(part.number) as growing:
        for video in part.videos:
            result = next(results)
            outcome = replace(result.outcome, part=part.number)
            with clock.stage("append"):
                _append(growing, result, outcome, part.supersedes.get(video.id))
            yield outcome
        with clock.stage("commit"):
            growing.commit()


def _append(writer: PartWriter, result: VideoResult, outcome: Outcome, supersedes: int | None) -> None:
    try:
        for volume in result.volumes():
            writer.append(volume)
        writer.end_video(outcome, supersedes)
    finally:
        result.drop()


def _lost_part(part: Part, error: VideoError) -> list[Outcome]:
    raise StoreWriteError(f"part {part.number} could not be written: {error}; run the same command again to go on")


def _silent(_: Part) -> None:
    """Tell nobody."""
