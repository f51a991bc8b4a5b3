"""Parts that are open: held from the moment their first video is given out, with the finished videos their journals have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Self

from mgmtool.corpus import Part
from mgmtool.errors import PASSING, StoreBusyError, StoreWriteError
from mgmtool.extraction.journal import JournalEntry, JournalKey, JournalWriter, read_journals
from mgmtool.extraction.worker import Task, VideoResult
from mgmtool.store import PartWriter, StoreWriter
from mgmtool.types import Outcome, Resume, VideoRef


class OpenPart:
    """One part that this run holds.

    Parameters
    ----------
    part : Part
        Its videos.
    writer : PartWriter
        Who writes it.
    key : JournalKey
        Which journals are of use.
    resume : Resume
        Which of their videos are done again.

    Attributes
    ----------
    earlier : dict
        By id, the results that earlier runs left.
    """

    def __init__(self, part: Part, writer: PartWriter, key: JournalKey, resume: Resume) -> None:
        self.writer, self._part = writer, part
        self._folder = writer.unfinished
        self._journal = JournalWriter(self._folder, key)
        known = read_journals(self._folder, key)
        found = {video.id: _of_use(video, known.get(video.id, ()), resume) for video in part.videos}
        self.earlier = {video_id: result for video_id, result in found.items() if result is not None}

    def tasks(self) -> list[Task]:
        """List what is left to do."""
        return [Task(video, str(self._folder)) for video in self._part.videos if video.id not in self.earlier]

    def write(self, result: VideoResult) -> Outcome:
        """Append a video to the arrays; one that is in no journal yet, because its worker could not answer, gets there.

        Raises
        ------
        StoreWriteError
            A journal cannot be read or written.
        """
        outcome = replace(result.outcome, part=self._part.number)
        try:
            if result.trouble is not None:
                raise OSError(result.trouble)
            if result.entry is None and outcome.failure not in PASSING:
                self._journal.end(result.outcome)
            for volume in result.volumes():
                self.writer.append(volume)
        except StoreWriteError:
            raise
        except OSError as error:
            words = error.strerror or str(error)
            raise StoreWriteError(
                f"cannot write {self.writer.store}: {words}; what was committed before stays valid"
            ) from error
        self.writer.end_video(outcome, self._part.supersedes.get(outcome.video.id))
        return outcome

    def close(self) -> None:
        """Leave the part; its journals stay unless it is committed."""
        self._journal.close()
        self.writer.close()


class OpenParts:
    """The parts of a run: each is opened when its first video is given out, or when it is its turn to be written.

    Parameters
    ----------
    store : StoreWriter
        The store.
    parts : sequence of Part
        In order.
    key : JournalKey
        Which journals are of use.
    resume : Resume
        Which of their videos are done again.
    """

    def __init__(self, store: StoreWriter, parts: Sequence[Part], key: JournalKey, resume: Resume) -> None:
        self._store, self._parts, self._key, self._resume = store, parts, key, resume
        self._open: dict[int, OpenPart] = {}
        self._refused: dict[int, StoreBusyError] = {}
        self._left: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def open(self, part: Part) -> OpenPart:
        """Open a part, unless it is open.

        Raises
        ------
        StoreBusyError
            Another run is writing it, or has committed it.
        """
        if part.number in self._refused:  # its tasks were not given out, whoever has it by now
            raise self._refused[part.number]
        if part.number not in self._open:
            writer = self._store.part(part.number)
            try:
                self._open[part.number] = OpenPart(part, writer, self._key, self._resume)
            except BaseException:
                writer.close()
                raise
        return self._open[part.number]

    def close(self, part: Part) -> None:
        """Leave a part."""
        self._open.pop(part.number).close()
        self._left.add(part.number)

    def tasks(self) -> Iterator[Task]:
        """Yield what is left to do of all parts, in order, up to the first that cannot be opened: that is for its turn to say."""
        for part in self._parts:
            if part.number in self._left:  # its journals had all of it
                continue
            try:
                tasks = self.open(part).tasks()
            except StoreBusyError as error:
                self._refused[part.number] = error
                return
            yield from tasks


def _of_use(video: VideoRef, known: Sequence[tuple[Outcome, JournalEntry]], resume: Resume) -> VideoResult | None:
    """Choose the result of an earlier run that stands for a video: of the same file, and done rather than failed."""
    same = [(outcome, entry) for outcome, entry in known if _same(outcome, video, resume)]
    for outcome, entry in sorted(same, key=lambda pair: not pair[0].done):
        if outcome.done or not (resume.retry_failed or outcome.failure in PASSING):
            now = replace(outcome, video=video, cpu_seconds=0.0, stages={}, resumed=True)
            return VideoResult(now, entry=entry)
    return None


def _same(outcome: Outcome, video: VideoRef, resume: Resume) -> bool:
    """Whether the file is the one that was worked on, as far as can be told without reading it."""
    then = outcome.video
    alike = (then.path, then.size, then.mtime_ns, then.reading) == (
        video.path,
        video.size,
        video.mtime_ns,
        video.reading,
    )
    return alike and (outcome.fingerprint is not None or resume.fingerprint != "content" or not outcome.done)
