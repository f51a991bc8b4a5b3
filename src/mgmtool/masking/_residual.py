"""Energy of what moves against the camera: the stages in a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from mgmtool.kernels.runs import store_run
from mgmtool.masking._appearance import Appearance
from mgmtool.masking._cuts import CutDetector
from mgmtool.masking._evidence import Evidence, EvidenceOptions
from mgmtool.masking._pooling import TemporalPool
from mgmtool.masking._scene import KnownFrame, SceneFrames
from mgmtool.masking.base import known_flags
from mgmtool.profiling import stage
from mgmtool.types import FrameEnergy, FrameFlag, FrameMotion, PatchGrid

BATCH_FRAMES = 32
"""Frames the stages take at a time, within a scene."""


class ResidualEnergy:
    """Turns the motion of a video into energy: evidence, pooling over time, appearance, one after the other.

    Holds a batch of frames, and as many as the stages look ahead: one, ``pool``, and 32 with ``appearance``.

    Parameters
    ----------
    evidence : EvidenceOptions
        Numbers of the energy of one frame.
    pool : int
        Frames on each side over which energy is pooled.
    appearance : bool
        Whether energy is spread over what looks like it, where frames have colour.
    """

    def __init__(self, evidence: EvidenceOptions, pool: int, appearance: bool) -> None:
        self._evidence = Evidence(evidence)
        self._pool: TemporalPool[KnownFrame] = TemporalPool(pool)
        self._appearance = Appearance(evidence.border) if appearance else None

    def energies(self, frames: Iterable[FrameMotion], grid: PatchGrid) -> Iterator[FrameEnergy]:
        """Yield the energy of every frame, in order.

        Parameters
        ----------
        frames : iterable of FrameMotion
            Every frame of a video in presentation order, with motion.
        grid : PatchGrid
            Grid of the energy over the displayed frame.

        Raises
        ------
        ValueError
            A frame comes without motion.
        """
        cuts, kind = CutDetector(), None
        items: list[KnownFrame] = []
        valid: list[bool] = []
        for frame in frames:
            cut = cuts.is_cut(frame.luma)
            before, kind = kind, _kind(frame)
            if cut or kind != before:  # stages compare frames of one kind
                yield from self._run(items, valid, grid, end=True)
                items, valid = [], []
            # The vectors of a cut that is no key frame point into the scene before: they are not motion of this one.
            counts = frame.has_vectors and not cut
            items.append(KnownFrame(frame, _FLAGS[known_flags(frame), cut, counts]))
            valid.append(counts)
            if len(items) == BATCH_FRAMES:
                yield from self._run(items, valid, grid, end=False)
                items, valid = [], []
        yield from self._run(items, valid, grid, end=True)

    def _run(self, items: list[KnownFrame], valid: list[bool], grid: PatchGrid, *, end: bool) -> Iterator[FrameEnergy]:
        """Send frames through the stages, and empty them at the end of a scene."""
        with stage("evidence"):
            batch = self._evidence.push(items, valid)
        yield from self._after_evidence(batch, grid)
        if end:
            with stage("evidence"):
                batch = self._evidence.flush()
            yield from self._after_evidence(batch, grid)
            yield from self._after_pooling(self._pool.flush(), grid)
            if self._appearance is not None:
                yield from _on_grid(self._appearance.flush(), grid)

    def _after_evidence(self, batch: SceneFrames[KnownFrame], grid: PatchGrid) -> Iterator[FrameEnergy]:
        return self._after_pooling(self._pool.push(batch), grid) if batch.items else iter(())

    def _after_pooling(self, batch: SceneFrames[KnownFrame], grid: PatchGrid) -> Iterator[FrameEnergy]:
        coloured = self._appearance is not None and batch.items and batch.items[0].frame.chroma is not None
        return _on_grid(self._appearance.push(batch) if coloured and self._appearance else batch, grid)


# Made beforehand: to combine flags costs Python a microsecond each.
_FLAGS = {
    (FrameFlag(known), cut, counts): FrameFlag(known | FrameFlag.SCENE_CUT * cut | FrameFlag.PROPAGATED * (not counts))
    for known in range(FrameFlag.CORRUPT * 2)
    for cut in (False, True)
    for counts in (False, True)
}


def _kind(frame: FrameMotion) -> tuple[object, ...]:
    """Return what frames have to have in common to be compared."""
    if frame.displacement is None or frame.coverage is None:
        raise ValueError(f"frame {frame.index} comes without motion; the source must be opened with motion=True")
    return frame.coverage.shape, None if frame.luma is None else frame.luma.shape, frame.chroma is None


def _on_grid(batch: SceneFrames[KnownFrame], grid: PatchGrid) -> Iterator[FrameEnergy]:
    if not batch.items:
        return
    like = batch.items[0].frame
    levels = np.empty((len(batch.items), grid.rows, grid.cols), np.uint8)
    scales = np.empty(len(batch.items), np.float64)
    store_run(batch.energy, like.cell, like.height, like.width, levels, scales)
    for item, energy, scale in zip(batch.items, levels, scales.tolist(), strict=True):
        yield FrameEnergy(item.frame.pts, item.flags, energy, scale)
