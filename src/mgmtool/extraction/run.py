"""A run over a corpus: parts to an engine, results to the store."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial

from mgmtool.corpus import Corpus, Part
from mgmtool.engines import Engine
from mgmtool.errors import PartCommittedError, StoreWriteError, VideoError
from mgmtool.extraction.work import VideoResult, lost_video, process_video
from mgmtool.store import PartWriter, StoreWriter
from mgmtool.types import Outcome, Resume, VideoRef

OnCommit = Callable[[Part], None]


@dataclass(frozen=True, slots=True)
class ExtractRun:
    """A run that is ready to start.

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
    _writer: StoreWriter
    _engine: Engine

    @property
    def remaining(self) -> int:
        """Videos still to be done."""
        return sum(len(part.videos) for part in self.parts)

    def outcomes(self, on_commit: OnCommit | None = None) -> Generator[Outcome, None, None]:
        """Do the work; yield one outcome per video, in order, once its masks are with the part's writer.

        Closing the generator early drops the part being written; committed parts stay.

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
        told = on_commit or _silent
        with self._writer.run(self.resume.shard):
            if self._engine.whole_parts:
                yield from self._parts_elsewhere(told)
            elif self.parts:
                videos = (video for part in self.parts for video in part.videos)
                hashed = self.resume.fingerprint == "content"
                yield from write_parts(self._writer, self._engine, self.parts, videos, hashed, told)
            if self.resume.shard.count == 1:  # with several drivers, whoever ends last gathers the index
                self._writer.finish()

    def _parts_elsewhere(self, on_commit: OnCommit) -> Iterator[Outcome]:
        """Have each part written by a task of the engine, which commits it, too."""
        work = partial(
            write_part, writer=self._writer, engine=self._engine.inside(), hashed=self.resume.fingerprint == "content"
        )
        results = self._engine.run(work, self.parts, _lost_part)
        try:
            for part, outcomes in zip(self.parts, results, strict=True):
                on_commit(part)
                yield from outcomes
        finally:
            results.close()


def write_part(part: Part, writer: StoreWriter, engine: Engine, hashed: bool) -> list[Outcome]:
    """Write and commit one part; what a task of an engine on other machines does.

    A part that was committed already, by a task that died before it could say so, is left as it is.
    """
    try:
        return list(write_parts(writer, engine, [part], iter(part.videos), hashed, _silent))
    except PartCommittedError:
        return writer.outcomes(part.number, part.videos)


def write_parts(
    writer: StoreWriter, engine: Engine, parts: list[Part], videos: Iterator[VideoRef], hashed: bool, told: OnCommit
) -> Iterator[Outcome]:
    """Write and commit parts one after the other, from one stream of results."""
    with tempfile.TemporaryDirectory(prefix="mgmtool-", ignore_cleanup_errors=True) as spool:
        work = partial(process_video, spec=writer.spec, spool=spool, fingerprint=hashed)
        results = engine.run(work, videos, lost_video)
        try:
            for part in parts:
                yield from _write(writer, part, results)
                told(part)
        finally:
            results.close()


def _write(writer: StoreWriter, part: Part, results: Iterator[VideoResult]) -> Iterator[Outcome]:
    with writer.part(part.number) as growing:
        for video in part.videos:
            result = next(results)
            outcome = replace(result.outcome, part=part.number)
            _append(growing, result, outcome, part.supersedes.get(video.id))
            yield outcome
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
