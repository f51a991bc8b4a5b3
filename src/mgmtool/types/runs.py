"""What a run is asked to do, and how each of its inputs ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from mgmtool.types.decode import DecodeOptions
from mgmtool.types.masks import PatchGrid, TokenLayout
from mgmtool.types.video import VideoFacts, VideoRef

_TOKENS = PatchGrid(14, 14)
_ENERGY_GRID = PatchGrid(16, 16)
_AS_IT_COMES = DecodeOptions()


@dataclass(frozen=True, slots=True)
class ExtractSpec:
    """Everything that decides what a store holds. Two runs with equal specs and inputs write equal bytes.

    Attributes
    ----------
    scheme : str
        Mask scheme, see ``mgmtool schemes``.
    scheme_options : mapping
        Options of the scheme that differ from its defaults.
    source : str
        Motion source, see ``mgmtool sources``.
    source_options : mapping
        Options of the source that differ from its defaults.
    grid : PatchGrid
        Patches over the whole displayed frame.
    ratio : float
        Share of the patches hidden in every frame, 0..1.
    seed : int
        Seed of everything random; each video draws from (seed, id).
    energy : bool
        Whether energy is stored. A scheme that needs no motion has none to store.
    energy_grid : PatchGrid
        Grid of the stored energy over the displayed frame.
    part_videos : int
        Most videos in a part.
    part_bytes : int
        Input bytes after which a part is full.
    reading : DecodeOptions
        Which stream of a file is read, and within which limits.
    """

    scheme: str = "motion-guided"
    scheme_options: Mapping[str, Any] = field(default_factory=dict)
    source: str = "auto"
    source_options: Mapping[str, Any] = field(default_factory=dict)
    grid: PatchGrid = _TOKENS
    ratio: float = 0.75
    seed: int = 0
    energy: bool = True
    energy_grid: PatchGrid = _ENERGY_GRID
    part_videos: int = 256
    part_bytes: int = 2 << 30
    reading: DecodeOptions = _AS_IT_COMES

    @property
    def layout(self) -> TokenLayout:
        """Tokens and box of this grid and ratio."""
        return TokenLayout.of(self.grid, self.ratio)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for the attributes of a store."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        values |= {"grid": str(self.grid), "energy_grid": str(self.energy_grid)}
        values |= {"scheme_options": dict(self.scheme_options), "source_options": dict(self.source_options)}
        return values | {"reading": self.reading.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        grids = {name: PatchGrid.parse(values[name]) for name in ("grid", "energy_grid")}
        reading = DecodeOptions.from_json(values.get("reading", {}))
        return cls(**{**values, **grids, "reading": reading})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one input ended: done or failed, always one of the two.

    Attributes
    ----------
    video : VideoRef
        The input.
    facts : VideoFacts or None
        None for a failed video.
    failure : str or None
        Failure class, one of ``errors.FAILURE_CLASSES``; None for a video that is done.
    message : str or None
        One line of text for a failed video.
    seconds : float
        Wall time spent on the video.
    part : int
        Part of the store it was written to.
    fingerprint : str or None
        XXH3 (128 bits) of the file, where it was asked for.
    cpu_seconds : float
        CPU time the worker spent on the video.
    stages : mapping
        Seconds of the worker by stage, where they were asked for; see :mod:`mgmtool.profiling`.
    """

    video: VideoRef
    facts: VideoFacts | None = None
    failure: str | None = None
    message: str | None = None
    seconds: float = 0.0
    part: int = -1
    fingerprint: str | None = None
    cpu_seconds: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the video has a mask volume."""
        return self.failure is None


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several drivers that write one store together.

    Attributes
    ----------
    index : int
        Which one, from 0.
    count : int
        How many there are. A driver does the parts whose number leaves ``index`` when divided by ``count``.
    """

    index: int = 0
    count: int = 1

    def has(self, number: int) -> bool:
        """Whether a part, or another thing counted the same way everywhere, is this driver's."""
        return number % self.count == self.index

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


_WHOLE = Shard()

FINGERPRINTS = ("stat", "content")


@dataclass(frozen=True, slots=True)
class Resume:
    """How a run goes on with a store that is there.

    Attributes
    ----------
    retry_failed : bool
        Do all videos again that failed; those whose failure was not their own fault are done again in any case, see
        ``errors.PASSING``.
    refresh : bool
        Do the videos again whose files have changed.
    fingerprint : str
        What says that a file has changed: ``stat`` (size and modification time), or ``content`` (XXH3 of its bytes, where the
        store has that of the old ones).
    shard : Shard
        Which parts are this driver's.
    """

    retry_failed: bool = False
    refresh: bool = False
    fingerprint: str = "stat"
    shard: Shard = _WHOLE


@dataclass(frozen=True, slots=True)
class KnownVideo:
    """A video that earlier runs ended.

    Attributes
    ----------
    part : int
        The part with the row that counts.
    done : bool
        Whether it has masks.
    size, mtime_ns : int
        Of its file, then; -1 where unknown.
    fingerprint : str or None
        XXH3 of its file, then, where it was asked for.
    failure : str or None
        Failure class of one without masks.
    """

    part: int
    done: bool
    size: int = -1
    mtime_ns: int = -1
    fingerprint: str | None = None
    failure: str | None = None
