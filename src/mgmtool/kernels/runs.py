"""Whole runs of frames in one call: what the kernels of a frame do, without a step of Python for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel
from mgmtool.kernels.appearance import blur, colour_bins, count_colours, weigh_by_colour
from mgmtool.kernels.camera import fit_camera
from mgmtool.kernels.energy import lower_to, pool, quantise, resample_mean, saturating_energy
from mgmtool.kernels.normal_flow import gradient_length, normal_flow
from mgmtool.kernels.parallax import explain_by_border, residual_motion

Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

FRAMES_BACK = 2
"""Frames between a picture and the earlier one it is compared with; fewer at the start of a scene."""


@kernel
def energy_of_run(
    displacement: Float32,
    coverage: Float32,
    valid: Bool,
    pictures: Float32,
    first: int,
    sigma_min: float,
    along: int,
    deep: int,
    spacing: float,
    kappa: float,
    c: float,
    border: int,
    energy: Float32,
) -> None:
    """Energy of what moves against the camera in n frames of a scene.

    Parameters
    ----------
    displacement : float32 (n, rows, cols, 2)
        (dy, dx) in pixels.
    coverage : float32 (n, rows, cols)
        0..1.
    valid : bool (n,)
        Whether the motion of a frame counts; its energy is zero if not.
    pictures : float32 (m, 2 rows, 2 cols)
        Mean luma of quarter cells of the same frames, of up to two before and of one after; none (m = 0) for no picture check.
    first : int
        Number of pictures before the first frame.
    sigma_min, along, deep, spacing, c, border
        See :func:`~mgmtool.kernels.camera.fit_camera`, :func:`~mgmtool.kernels.parallax.explain_by_border` (``along`` 0 leaves it
        out), :func:`~mgmtool.kernels.normal_flow.normal_flow` and :func:`~mgmtool.kernels.energy.saturating_energy`.
    kappa : float
        The residual is at most kappa times the normal flow a frame, from the picture two before, or one at the start of a scene,
        and from the next one.
    energy : float32 (n, rows, cols)
        Overwritten.
    """
    frames, rows, cols = coverage.shape
    theta = np.empty((2, 3), np.float64)
    residual = np.empty((rows, cols), np.float32)
    motion = np.empty((rows, cols, 2), np.float32)
    flow = np.empty((rows, cols), np.float32)
    gradient = np.empty(pictures.shape[1:], np.float32)
    for k in range(frames):
        energy[k] = 0.0
        if not valid[k]:
            continue
        sigma = fit_camera(displacement[k], coverage[k], sigma_min, theta, residual)
        if along > 0:
            residual_motion(displacement[k], coverage[k], theta, motion)
            explain_by_border(motion, coverage[k], along, deep, residual)
        here = first + k
        if here < pictures.shape[0]:
            gradient_length(pictures[here], gradient)
            back = min(FRAMES_BACK, here)
            if back > 0:
                normal_flow(pictures[here - back], pictures[here], gradient, back * theta, spacing, flow)
                lower_to(flow, kappa / back, residual)
            if here + 1 < pictures.shape[0]:
                normal_flow(pictures[here + 1], pictures[here], gradient, -theta, spacing, flow)
                lower_to(flow, kappa, residual)
        saturating_energy(residual, sigma, c, border, energy[k])


@kernel
def pool_run(energy: Float32, valid: Bool, first: int, half: int, pooled: Float32) -> None:
    """Pool m frames of n, from ``first`` on, over ``half`` neighbours on each side; see :func:`~mgmtool.kernels.energy.pool`.

    Parameters
    ----------
    energy : float32 (n, rows, cols)
        Energy of consecutive frames of one scene.
    valid : bool (n,)
        Which of them count.
    first, half : int
        0 <= first <= n - m; half >= 0.
    pooled : float32 (m, rows, cols)
        Overwritten.
    """
    for k in range(pooled.shape[0]):
        pool(energy, valid, first + k, half, pooled[k])


@kernel
def see_run(energy: Float32, luma: Float32, chroma: Float32, sigma: float, blurred: Float32, bins: Int32) -> None:
    """Blur the energy of n frames and sort their cells by colour; see :mod:`mgmtool.kernels.appearance`.

    Parameters
    ----------
    energy : float32 (n, rows, cols)
        >= 0.
    luma : float32 (n, 2 rows, 2 cols)
        Mean luma of quarter cells, 0..255.
    chroma : float32 (n, 2, rows, cols)
        Mean Cb and Cr of cells.
    sigma : float
        Standard deviation of the blur in cells.
    blurred : float32 (n, rows, cols)
        Overwritten.
    bins : int32 (n, rows, cols)
        Overwritten.
    """
    line = np.empty(energy.shape[1:], np.float32)
    for k in range(energy.shape[0]):
        blur(energy[k], sigma, line, blurred[k])
        colour_bins(luma[k], chroma[k], bins[k])


@kernel
def weigh_run(
    energy: Float32,
    bins: Int32,
    first: int,
    known: int,
    window: int,
    edge: int,
    border: int,
    table: Int64,
    totals: Int64,
    out: Float32,
) -> int:
    """Weigh m frames of n, from ``first`` on, by the colours of the frames up to ``window`` before and after each.

    Parameters
    ----------
    energy : float32 (n, rows, cols)
        Blurred energy of consecutive frames of one scene.
    bins : int32 (n, rows, cols)
        Colours.
    first : int
        0 <= first <= n - m.
    known : int
        How many frames the colour model has seen; those more than ``window`` before ``first`` are taken out of it again.
    window : int
        >= 0.
    edge, border, table, totals
        See :func:`~mgmtool.kernels.appearance.count_colours` and :func:`~mgmtool.kernels.appearance.weigh_by_colour`; the model
        is kept up to date.
    out : float32 (m, rows, cols)
        Overwritten.

    Returns
    -------
    int
        How many of the frames the model has seen now.
    """
    for k in range(out.shape[0]):
        here = first + k
        while known < min(here + window + 1, energy.shape[0]):
            count_colours(energy[known], bins[known], edge, 1, table, totals)
            known += 1
        weigh_by_colour(energy[here], bins[here], border, table, totals, out[k])
        if here >= window:
            count_colours(energy[here - window], bins[here - window], edge, -1, table, totals)
    return known


@kernel
def store_run(values: Float32, cell: int, height: int, width: int, levels: NDArray[np.uint8], scales: Float64) -> None:
    """Average the energy of n frames over an even grid and store it in 8 bits.

    Parameters
    ----------
    values : float32 (n, rows, cols)
        Energy of square cells.
    cell, height, width : int
        Pixels, see :func:`~mgmtool.kernels.energy.resample_mean`.
    levels : uint8 (n, grid_rows, grid_cols)
        Overwritten, see :func:`~mgmtool.kernels.energy.quantise`.
    scales : float64 (n,)
        Overwritten: what one level stands for.
    """
    line = np.empty(values.shape[2], np.float32)
    energy = np.empty(levels.shape[1:], np.float32)
    for k in range(values.shape[0]):
        resample_mean(values[k], cell, height, width, line, energy)
        scales[k] = quantise(energy, levels[k])
