"""One video to its mask volume, as a stream of bounded chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from mgmtool import masking, sources
from mgmtool.extraction.recipe import Recipe
from mgmtool.kernels.tokens import sample_tokens
from mgmtool.profiling import stage, timed
from mgmtool.types import (
    Bool,
    Box,
    ExtractSpec,
    Float32,
    FrameEnergy,
    FrameFlag,
    FrameMotion,
    MaskVolume,
    Orientation,
    Placement,
    PlacementRequest,
    Tracks,
    UInt8,
    VideoFacts,
    VideoInfo,
    VideoRef,
)

CHUNK_FRAMES = 2048
"""Most frames of a chunk."""

LOOKAHEAD = 256
"""Frames a chunk looks ahead, so that the path of its box is, in practice, the path over the whole video."""


@dataclass(frozen=True, slots=True)
class MaskStream:
    """A video being turned into masks.

    Attributes
    ----------
    info : VideoInfo
        Size, rotation, codec, rate.
    chunks : iterator of MaskVolume
        At most :data:`CHUNK_FRAMES` frames each, in order. May raise :class:`~mgmtool.errors.VideoError`.
    facts : callable
        Returns the :class:`~mgmtool.types.VideoFacts` once the chunks are exhausted.
    """

    info: VideoInfo
    chunks: Iterator[MaskVolume]
    facts: Callable[[], VideoFacts]


@contextmanager
def stream_masks(video: VideoRef, spec: ExtractSpec | Recipe) -> Iterator[MaskStream]:
    """Open a video and compute its masks chunk by chunk, in memory that does not grow with its length.

    Parameters
    ----------
    video : VideoRef
        The input; its id decides what is random.
    spec : ExtractSpec or Recipe
        What to compute; who has many videos hands down one recipe.

    Raises
    ------
    VideoError
        The video failed.
    UsageError
        See :meth:`Recipe.of`.
    """
    recipe = Recipe.of(spec)
    scheme, motion = recipe.scheme, recipe.scheme.needs_motion
    chosen = replace(video, reading=recipe.spec.reading)
    with ExitStack() as stack:
        with stage("open"):
            opened = recipe.source.open(chosen, motion=motion, luma=motion, chroma=scheme.needs_chroma)
            stream = stack.enter_context(opened)
        energies = timed(scheme.energies(timed(stream.frames, "reduce"), recipe.spec.energy_grid), "energy")
        seed = masking.derive_seed(recipe.spec.seed, video.id)
        placer = _Placer(recipe, stream.info, seed, scheme.tracks(video))
        yield MaskStream(stream.info, timed(placer.chunks(energies), "place"), stream.facts)


def whole_video(video: VideoRef, spec: ExtractSpec | Recipe) -> tuple[MaskVolume, VideoFacts]:
    """Compute the masks of a video at once; memory grows by about half a kilobyte per frame."""
    with stream_masks(video, spec) as stream:
        chunks = list(stream.chunks)
        facts = stream.facts()
    columns = {name: np.concatenate([chunk.arrays()[name] for chunk in chunks]) for name in chunks[0].arrays()}
    return MaskVolume(**columns), facts


def warm_up(spec: ExtractSpec | Recipe) -> None:
    """Compile every kernel a spec needs, or load it from the cache, so that no worker has to compile it again."""
    recipe = Recipe.of(spec)
    info = VideoInfo(32, 48, Orientation(), "", "", None, Fraction(1, 25), 0)
    sources.warm_up()
    board = (np.indices((4, 6)).sum(axis=0) % 2 * 255).astype(np.float32)  # differs from the frames before: a scene cut
    pictures = (np.zeros((4, 6), np.float32), np.zeros((4, 6), np.float32), board)
    frames = [
        FrameMotion(
            index=index,
            pts=index,
            key_frame=False,
            corrupt=False,
            has_vectors=True,
            displacement=np.zeros((2, 3, 2), np.float32),
            coverage=np.ones((2, 3), np.float32),
            luma=luma,
            cell=16,
            height=32,
            width=48,
            chroma=np.full((2, 2, 3), 128, np.float32),
        )
        for index, luma in enumerate(pictures)
    ]
    energies = recipe.scheme.energies(frames, recipe.spec.energy_grid)
    for _ in _Placer(recipe, info, 0).chunks(energies):
        pass


class _Placer:
    """Cuts energies into chunks and has the scheme place its box in each, looking ahead."""

    def __init__(self, recipe: Recipe, info: VideoInfo, seed: int, tracks: Tracks | None = None) -> None:
        self._scheme, self._spec, self._info, self._seed = recipe.scheme, recipe.spec, info, seed
        self._tracks = tracks
        self._first = 0
        self._previous: tuple[int, int] | None = None
        self._fallback = False

    def chunks(self, energies: Iterable[FrameEnergy]) -> Iterator[MaskVolume]:
        waiting: list[FrameEnergy] = []
        for energy in energies:
            waiting.append(energy)
            if len(waiting) == CHUNK_FRAMES + LOOKAHEAD:
                yield self._chunk(waiting, CHUNK_FRAMES)
                del waiting[:CHUNK_FRAMES]
        while waiting:
            count = min(len(waiting), CHUNK_FRAMES)
            yield self._chunk(waiting, count)
            del waiting[:count]

    def _chunk(self, frames: list[FrameEnergy], count: int) -> MaskVolume:
        """Place the box in all the frames, keep the first ``count``."""
        known = np.array([frame.flags for frame in frames], np.uint8)
        cut = known & int(FrameFlag.SCENE_CUT) > 0
        levels: UInt8 | None = None
        scale = np.array([frame.scale for frame in frames], np.float32)
        tokens = np.zeros((len(frames), self._spec.grid.rows, self._spec.grid.cols), np.float32)
        if (
            frames[0].energy is not None
        ):  # tokens from the stored 8 bits, so that a reader of the store finds the same boxes
            levels = np.stack([frame.energy for frame in frames if frame.energy is not None])
            sample_tokens(levels, scale, 0.0, 0.0, 1.0, 1.0, False, tokens)
        first, before, objects = self._first, self._previous, self._objects(len(frames))
        request = PlacementRequest(tokens, cut, self._spec.layout, self._seed, first, before, objects=objects)
        placed = self._scheme.place(request)
        flags = self._flags(frames, known, cut, placed)[:count]
        self._first += count
        last = placed.corner[count - 1]
        self._previous = (int(last[0]), int(last[1])) if last[0] >= 0 else None
        self._fallback = bool(flags[-1] & FrameFlag.FALLBACK)
        stored = levels if self._spec.energy else None
        return MaskVolume(
            mask=placed.mask[:count],
            box=self._boxes(placed, count),
            pts=np.array([frame.pts for frame in frames[:count]], np.int64),
            flags=flags,
            energy=None if stored is None else stored[:count],
            energy_scale=None if stored is None else scale[:count],
        )

    def _objects(self, frames: int) -> Float32 | None:
        """Where the known objects are in the next frames, in tokens of the whole frame."""
        if self._tracks is None:
            return None
        boxes = self._tracks.at(range(self._first, self._first + frames))
        grid, info = self._spec.grid, self._info
        return masking.objects_in_tokens(boxes, 0.0, 0.0, info.height, info.width, grid.rows, grid.cols, False)

    def _flags(self, frames: list[FrameEnergy], known: UInt8, cut: Bool, placed: Placement) -> UInt8:
        """Known flags plus ``FALLBACK``, which a chunk hands on until its scene ends, something moves in it, or the box does."""
        flags, fallback = known.copy(), placed.fallback.copy()
        scene = int(cut.argmax()) if cut.any() else len(cut)
        if self._fallback and not any(frame.scale for frame in frames[:scene]):
            held = np.logical_and.accumulate((placed.corner == self._previous).all(axis=1))
            fallback[:scene] |= held[:scene]
        flags[fallback] |= int(FrameFlag.FALLBACK)
        return flags

    def _boxes(self, placed: Placement, count: int) -> np.typing.NDArray[np.int16]:
        """Boxes in pixels of the displayed frame; all zero where the scheme hides none."""
        boxes = np.zeros((count, 4), np.int16)
        known: dict[tuple[int, int], Box] = {}
        for row, (y, x) in zip(boxes, placed.corner[:count].tolist(), strict=True):
            if y < 0:
                continue
            if (y, x) not in known:
                known[y, x] = self._spec.layout.box(y, x, self._info.height, self._info.width)
            box = known[y, x]
            row[:] = box.y0, box.x0, box.y1, box.x1
        return boxes
