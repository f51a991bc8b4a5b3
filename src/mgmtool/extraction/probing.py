"""Report how ``extract`` would handle each file of a corpus, from its first frames."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from mgmtool import corpus, engines, sources
from mgmtool.corpus import Corpus
from mgmtool.engines import Engine
from mgmtool.errors import failure_of
from mgmtool.sources import Source
from mgmtool.storage import local_copy
from mgmtool.types import DecodeOptions, VideoRef
from mgmtool.video.container import silence_ffmpeg
from mgmtool.video.peek import Peek, peek

FRAMES = 64
"""Most frames of a file that are decoded in one go."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What is known of one file beforehand.

    Attributes
    ----------
    video : VideoRef
        The file.
    peek : Peek or None
        What its header and its first frames say; None where they cannot be read.
    vectors : bool or None
        Whether the decoder exports motion vectors.
    source, source_reason : str or None
        What the source ``auto`` would take, and why.
    failure, message : str or None
        Failure class and one line of text, of a file that cannot be read.
    """

    video: VideoRef
    peek: Peek | None = None
    vectors: bool | None = None
    source: str | None = None
    source_reason: str | None = None
    failure: str | None = None
    message: str | None = None

    @property
    def frames(self) -> int:
        """Frames by the header; by duration and rate where it has no count, 0 where it has neither."""
        if self.peek is None:
            return 0
        info, seconds = self.peek.info, self.peek.header.seconds
        return info.header_frames or round((seconds or 0) * float(info.fps or 0))

    def to_json(self) -> dict[str, Any]:
        """Return plain values, None where something is not known."""
        return {
            "id": self.video.id,
            "status": "failed" if self.failure else "readable",
            "failure": self.failure,
            "message": self.message,
            "size_bytes": self.video.size,
            **(dict.fromkeys(_PEEKED) if self.peek is None else _peeked(self.peek)),
            "vectors": self.vectors,
            "source": self.source,
            "source_reason": self.source_reason,
        }


_PEEKED = (
    *("container", "codec", "profile", "height", "width", "rotation", "mirrored", "pixel_aspect", "pixel_format"),
    *("fps", "header_frames", "duration_seconds", "index_risk"),
)


def _peeked(seen: Peek) -> dict[str, Any]:
    """Gather the values of :data:`_PEEKED`."""
    info, header = seen.info, seen.header
    return {
        "container": info.container,
        "codec": info.codec,
        "profile": header.profile,
        "height": info.height,
        "width": info.width,
        "rotation": info.orientation.rotation,
        "mirrored": info.orientation.mirrored,
        "pixel_aspect": [info.pixel_aspect.numerator, info.pixel_aspect.denominator],
        "pixel_format": header.pixel_format,
        "fps": None if info.fps is None else float(info.fps),
        "header_frames": info.header_frames,
        "duration_seconds": header.seconds,
        "index_risk": list(seen.index_risk),
    }


@dataclass(slots=True)
class CodecTotals:
    """Sums over the readable files of one codec.

    Attributes
    ----------
    videos, bytes, frames : int
        How many, how large, how long.
    seconds : float
        Duration of all of them that state one.
    sources : Counter
        Videos by the source that ``auto`` would take.
    """

    videos: int = 0
    bytes: int = 0
    seconds: float = 0.0
    frames: int = 0
    sources: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "videos": self.videos,
            "bytes": self.bytes,
            "hours": round(self.seconds / 3600, 4),
            "frames": self.frames,
            "sources": dict(self.sources),
        }


@dataclass(slots=True)
class CorpusTotals:
    """Sums over the probes of a corpus.

    Attributes
    ----------
    codecs : dict
        RunTotals by codec.
    failures : Counter
        Files that cannot be read, by failure class.
    """

    codecs: dict[str, CodecTotals] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, probe: Probe) -> None:
        """Count one more file."""
        if probe.failure is not None:
            self.failures[probe.failure] += 1
        elif probe.peek is not None:
            totals = self.codecs.setdefault(probe.peek.info.codec, CodecTotals())
            totals.videos += 1
            totals.bytes += max(probe.video.size, 0)
            totals.seconds += probe.peek.header.seconds or 0.0
            totals.frames += probe.frames
            totals.sources[probe.source or ""] += 1

    def to_json(self) -> dict[str, Any]:
        """Return plain values, codecs sorted by name."""
        return {
            "readable": sum(totals.videos for totals in self.codecs.values()),
            "failed": self.failures.total(),
            "failures": dict(self.failures),
            "codecs": {name: totals.to_json() for name, totals in sorted(self.codecs.items())},
        }


def probe(
    inputs: Sequence[str] | Corpus, engine: str | Engine = "local", reading: DecodeOptions | None = None
) -> Generator[Probe, None, None]:
    """Look at the first frames of every file of a corpus.

    Parameters
    ----------
    inputs : sequence of str, or Corpus
        Files, folders, globs; or the result of :func:`mgmtool.corpus.scan`.
    engine : str or Engine
        Who does the work.
    reading : DecodeOptions, optional
        Which stream of a file is read, and within which limits.

    Yields
    ------
    Probe
        One per file, in order.

    Raises
    ------
    InputError, UsageError
    """
    found = inputs if isinstance(inputs, Corpus) else corpus.scan(inputs, sources.VIDEO_EXTENSIONS)
    chosen = engines.build(engine) if isinstance(engine, str) else engine
    auto, options = sources.build("auto"), reading or DecodeOptions()
    return _probes(found, chosen, partial(probe_video, reading=options, source=auto))


def _probes(found: Corpus, engine: Engine, look: Callable[..., Probe]) -> Generator[Probe, None, None]:
    with tempfile.TemporaryDirectory(prefix="mgmtool-", ignore_cleanup_errors=True) as scratch:
        probes = engine.run(partial(look, scratch=scratch), found.videos, _failed)
        try:
            yield from probes
        finally:
            probes.close()


def probe_video(
    video: VideoRef, reading: DecodeOptions, scratch: str | None = None, source: Source | None = None
) -> Probe:
    """Look at the first frames of one file. Runs in a worker; never raises for a bad file.

    Parameters
    ----------
    video : VideoRef
        The file.
    reading : DecodeOptions
        Which stream is read, and within which limits.
    scratch : str, optional
        Folder for the copy of a remote file.
    source : Source, optional
        The source ``auto``, built.
    """
    silence_ffmpeg()
    seen = None
    try:
        with local_copy(video, scratch) as local:
            seen = peek(local.path, reading, FRAMES)
            opened = (source or sources.build("auto")).open(replace(local, reading=reading), motion=True, luma=False)
            with opened as stream:
                next(iter(stream.frames), None)  # before it hands out the first frame, ``auto`` has decided
                facts = stream.facts()
    except Exception as error:  # noqa: BLE001  one bad file never stops a corpus
        return _failed(video, error, seen)
    vectors = facts.source == "codec" and facts.vector_frames > 0
    return Probe(video, seen, vectors, facts.source, facts.source_reason)


def _failed(video: VideoRef, error: BaseException, seen: Peek | None = None) -> Probe:
    failure, message = failure_of(error)
    return Probe(video, seen, failure=failure, message=message)
