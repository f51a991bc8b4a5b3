"""Energy of what moves against the camera, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mgmtool.kernels.camera import fit_camera
from mgmtool.kernels.energy import quantise, resample_mean, saturating_energy
from mgmtool.masking._cuts import CutDetector
from mgmtool.masking._pooling import TemporalPool
from mgmtool.masking._scheme import known_flags
from mgmtool.types import Float32, FrameEnergy, FrameFlag, FrameMotion, PatchGrid

_SMALL_CELL = 8


@dataclass(frozen=True, slots=True)
class ResidualOptions:
    """Numbers of the energy; meanings and defaults in :class:`mgmtool.masking.motion_guided.MotionGuided`."""

    c: float
    pool: int
    border: int | None
    sigma_min: float


def residual_energies(
    frames: Iterable[FrameMotion], grid: PatchGrid, options: ResidualOptions
) -> Iterator[FrameEnergy]:
    """Camera fit, residual, saturating energy, pooling, area mean on the energy grid, 8 bits.

    Parameters
    ----------
    frames : iterable of FrameMotion
        Every frame of a video in presentation order, with motion.
    grid : PatchGrid
        Grid of the energy over the displayed frame.
    options : ResidualOptions
        Numbers of the energy.
    """
    pool: TemporalPool[tuple[FrameMotion, FrameFlag]] = TemporalPool(options.pool)
    cuts = CutDetector()
    for frame in frames:
        flags = known_flags(frame)
        cut = cuts.is_cut(frame.luma)
        # The vectors of a cut that is no key frame point into the scene before: they are not motion of this one.
        valid = frame.has_vectors and not cut
        if cut:
            flags |= FrameFlag.SCENE_CUT
            yield from (_on_grid(*ready, grid) for ready in pool.flush())
        if not valid:
            flags |= FrameFlag.PROPAGATED
        energy = _frame_energy(frame, options, valid)
        yield from (_on_grid(*ready, grid) for ready in pool.push((frame, flags), energy, valid))
    yield from (_on_grid(*ready, grid) for ready in pool.flush())


def _frame_energy(frame: FrameMotion, options: ResidualOptions, valid: bool) -> Float32:
    """Energy on the cells of one frame; zero where its vectors do not count."""
    displacement, coverage = frame.displacement, frame.coverage
    if displacement is None or coverage is None:
        raise ValueError(f"frame {frame.index} comes without motion; the source must be opened with motion=True")
    energy = np.zeros(coverage.shape, np.float32)
    if valid:
        theta = np.empty((2, 3), np.float64)
        residual = np.empty(coverage.shape, np.float32)
        sigma = fit_camera(displacement, coverage, options.sigma_min, theta, residual)
        border = options.border if options.border is not None else 1 + (frame.cell <= _SMALL_CELL)
        saturating_energy(residual, sigma, options.c, border, energy)
    return energy


def _on_grid(item: tuple[FrameMotion, FrameFlag], pooled: Float32, grid: PatchGrid) -> FrameEnergy:
    frame, flags = item
    energy = np.empty((grid.rows, grid.cols), np.float32)
    line = np.empty(pooled.shape[1], np.float32)
    resample_mean(pooled, frame.cell, frame.height, frame.width, line, energy)
    levels = np.empty(energy.shape, np.uint8)
    return FrameEnergy(frame.pts, flags, levels, quantise(energy, levels))
