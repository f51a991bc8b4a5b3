"""Energy of what moves against the camera: the stages in a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from mgmtool.kernels.energy import quantise, resample_mean
from mgmtool.masking._appearance import Appearance
from mgmtool.masking._cuts import CutDetector
from mgmtool.masking._evidence import Evidence, EvidenceOptions, Item
from mgmtool.masking._pooling import TemporalPool
from mgmtool.masking._scheme import known_flags
from mgmtool.stages import timed
from mgmtool.types import Float32, FrameEnergy, FrameFlag, FrameMotion, PatchGrid


class ResidualEnergy:
    """Turns the motion of a video into energy: evidence, pooling over time, appearance, one after the other.

    Holds as many frames as the stages look ahead: one, ``pool``, and 32 with ``appearance``.

    Parameters
    ----------
    evidence : EvidenceOptions
        Numbers of the energy of one frame.
    pool : int
        Frames on each side over which energy is pooled.
    appearance : bool
        Whether energy is spread over what looks like it.
    """

    def __init__(self, evidence: EvidenceOptions, pool: int, appearance: bool) -> None:
        self._evidence = Evidence(evidence)
        self._pool: TemporalPool[Item] = TemporalPool(pool)
        self._appearance = Appearance(appearance, evidence.border)

    def energies(self, frames: Iterable[FrameMotion], grid: PatchGrid) -> Iterator[FrameEnergy]:
        """Yield the energy of every frame, in order.

        Parameters
        ----------
        frames : iterable of FrameMotion
            Every frame of a video in presentation order, with motion.
        grid : PatchGrid
            Grid of the energy over the displayed frame.
        """
        cuts = CutDetector()
        for frame in frames:
            flags = known_flags(frame)
            cut = cuts.is_cut(frame.luma)
            # The vectors of a cut that is no key frame point into the scene before: they are not motion of this one.
            valid = frame.has_vectors and not cut
            if cut:
                flags |= FrameFlag.SCENE_CUT
                yield from (_on_grid(*ready, grid) for ready in self._flush())
            if not valid:
                flags |= FrameFlag.PROPAGATED
            yield from (_on_grid(*ready, grid) for ready in self._push(Item(frame, flags), valid))
        yield from (_on_grid(*ready, grid) for ready in self._flush())

    def _push(self, item: Item, valid: bool) -> Iterator[tuple[Item, Float32]]:
        for ready in timed(self._evidence.push(item, valid), "evidence"):
            yield from self._pooled(*ready)

    def _pooled(self, item: Item, energy: Float32, valid: bool) -> Iterator[tuple[Item, Float32]]:
        for ready in self._pool.push(item, energy, valid):
            yield from self._appearance.push(*ready)

    def _flush(self) -> Iterator[tuple[Item, Float32]]:
        """End the scene, stage by stage."""
        for begun in timed(self._evidence.flush(), "evidence"):
            yield from self._pooled(*begun)
        for ready in self._pool.flush():
            yield from self._appearance.push(*ready)
        yield from self._appearance.flush()


def _on_grid(item: Item, energies: Float32, grid: PatchGrid) -> FrameEnergy:
    frame, flags = item
    energy = np.empty((grid.rows, grid.cols), np.float32)
    line = np.empty(energies.shape[1], np.float32)
    resample_mean(energies, frame.cell, frame.height, frame.width, line, energy)
    levels = np.empty(energy.shape, np.uint8)
    return FrameEnergy(frame.pts, flags, levels, quantise(energy, levels))
