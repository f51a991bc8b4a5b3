"""A corpus to a store: the one place where source, scheme, engine and store meet."""

from __future__ import annotations

import pickle
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path

from mgmtool import corpus, engines, masking, sources
from mgmtool.corpus import Corpus, Part
from mgmtool.engines import Engine
from mgmtool.errors import UsageError, VideoError, failure_of
from mgmtool.pipeline import stream_masks, whole_video
from mgmtool.store import PartWriter, StoreWriter
from mgmtool.types import ExtractSpec, MaskVolume, Outcome, VideoRef
from mgmtool.video.container import library_versions, silence_ffmpeg

_SPOOL_FRAMES = 16 * 2048
"""Frames a worker holds in memory; a longer video goes through a temporary file, so memory does not grow with its length."""


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

    def drop(self) -> None:
        """Remove the spool file."""
        if self.spool is not None:
            Path(self.spool).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class ExtractRun:
    """A run that is ready to start.

    Attributes
    ----------
    corpus : Corpus
        All videos.
    parts : list of Part
        What is still to be done.
    earlier : Counter
        Videos of this corpus that earlier runs ended, by status (``done``, ``failed``).
    """

    corpus: Corpus
    parts: list[Part]
    earlier: Counter[str]
    _writer: StoreWriter
    _engine: Engine

    @property
    def remaining(self) -> int:
        """Videos still to be done."""
        return sum(len(part.videos) for part in self.parts)

    def outcomes(self) -> Generator[Outcome, None, None]:
        """Do the work; yield one outcome per video, in order, once its masks are with the part's writer.

        Closing the generator early drops the part being written; committed parts stay.
        """
        videos = (video for part in self.parts for video in part.videos)
        with tempfile.TemporaryDirectory(prefix="mgmtool-") as spool:
            work = partial(process_video, spec=self._writer.spec, spool=spool)
            results = self._engine.run(work, videos, _lost)
            try:
                for part in self.parts:
                    yield from self._write(part, results)
            finally:
                results.close()
        self._writer.finish()

    def _write(self, part: Part, results: Iterator[VideoResult]) -> Iterator[Outcome]:
        with self._writer.part(part.number) as writer:
            for _ in part.videos:
                result = next(results)
                outcome = replace(result.outcome, part=part.number)
                _append(writer, result, outcome)
                yield outcome
            writer.commit()


def prepare(
    inputs: Sequence[str] | Corpus, output: str | Path, spec: ExtractSpec, engine: Engine, *, overwrite: bool = False
) -> ExtractRun:
    """Find the videos, open the store, and plan what is left to do. Nothing is decoded yet.

    Parameters
    ----------
    inputs : sequence of str, or Corpus
        Files, folders, globs; or the result of :func:`mgmtool.corpus.scan`.
    output : path
        Folder of the store; made if absent, resumed if it was made with the same spec.
    spec : ExtractSpec
        What to extract.
    engine : Engine
        Who does the work.
    overwrite : bool
        Remove a mask store that is already there.

    Raises
    ------
    InputError, UsageError, StoreError, StoreWriteError
    """
    scheme = masking.build(spec.scheme, spec.scheme_options)
    source = sources.build(spec.source, spec.source_options)
    if not scheme.volumes:
        raise UsageError(
            f"scheme is {spec.scheme!r}, which is for clips; expected one that every frame of a video can have"
        )
    try:
        _ = spec.layout
    except ValueError as error:
        raise UsageError(str(error)) from None
    found = inputs if isinstance(inputs, Corpus) else corpus.scan(inputs, source.extensions)
    if overwrite:
        StoreWriter.remove(output)
    energy = spec.energy and scheme.needs_motion
    writer = StoreWriter.open(output, spec, energy=energy, input_root=found.root, versions=library_versions())
    committed = writer.committed()
    ids = {number: [row["id"] for row in rows] for number, rows in committed.items()}
    parts = corpus.plan_parts(found.videos, ids, spec.part_videos, spec.part_bytes)
    wanted = {video.id for video in found.videos}
    earlier = Counter(row["status"] for rows in committed.values() for row in rows if row["id"] in wanted)
    return ExtractRun(found, parts, earlier, writer, engine)


def extract(
    inputs: Sequence[str], output: str | Path, spec: ExtractSpec | None = None, engine: str | Engine = "local"
) -> Iterator[Outcome]:
    """Extract masks of a corpus into a store.

    Parameters
    ----------
    inputs : sequence of str
        Files, folders, globs.
    output : path
        Folder of the store. A store made with the same spec is resumed.
    spec : ExtractSpec, optional
        What to extract.
    engine : str or Engine
        ``"inline"``, ``"local"``, or an engine with options from :func:`mgmtool.engines.build`.

    Yields
    ------
    Outcome
        One per video that was not committed before, in order.
    """
    chosen = engines.build(engine) if isinstance(engine, str) else engine
    return prepare(inputs, output, spec or ExtractSpec(), chosen).outcomes()


def extract_video(path: str | Path, spec: ExtractSpec | None = None) -> MaskVolume:
    """Compute the masks of one video, for notebooks and tests.

    The id of the video, from which random schemes draw, is its file name.

    Raises
    ------
    VideoError
        The video failed.
    """
    return whole_video(VideoRef(Path(path).name, str(path)), spec or ExtractSpec())[0]


def process_video(video: VideoRef, spec: ExtractSpec, spool: str) -> VideoResult:
    """Turn one video into masks, or into a failure with its class. Runs in a worker; never raises for a bad video.

    Parameters
    ----------
    video : VideoRef
        The input.
    spec : ExtractSpec
        What to extract.
    spool : str
        Folder for the masks of videos too long for memory.
    """
    silence_ffmpeg()
    start = time.perf_counter()
    try:
        with stream_masks(video, spec) as stream:
            chunks, file = _collect(stream.chunks, spool)
            facts = stream.facts()
    except Exception as error:  # noqa: BLE001  one bad video never stops a corpus
        failure, message = failure_of(error)
        return VideoResult(Outcome(video, None, failure, message, time.perf_counter() - start))
    return VideoResult(Outcome(video, facts, seconds=time.perf_counter() - start), chunks, file)


def _collect(volumes: Iterator[MaskVolume], folder: str) -> tuple[list[MaskVolume], str | None]:
    """Gather chunks in memory, or in a file from the frame on where there are too many."""
    chunks: list[MaskVolume] = []
    for volume in volumes:
        chunks.append(volume)
        if sum(map(len, chunks)) >= _SPOOL_FRAMES:
            return _spool(chunks, volumes, folder)
    return chunks, None


def _spool(first: list[MaskVolume], rest: Iterator[MaskVolume], folder: str) -> tuple[list[MaskVolume], str]:
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".chunks", delete=False) as file:
        for volume in chain(first, rest):
            pickle.dump(volume, file, pickle.HIGHEST_PROTOCOL)
    return [], file.name


def _lost(video: VideoRef, error: VideoError) -> VideoResult:
    return VideoResult(Outcome(video, None, error.failure, str(error)))


def _append(writer: PartWriter, result: VideoResult, outcome: Outcome) -> None:
    try:
        for volume in result.volumes():
            writer.append(volume)
        writer.end_video(outcome)
    finally:
        result.drop()
