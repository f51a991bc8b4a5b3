"""Kernels that weigh evidence give the same bytes with and without the compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels import appearance, energy, luma, normal_flow, parallax

Array = NDArray[Any]


def worked(seed: int) -> Iterator[tuple[str, Array]]:
    """Run every kernel on one random frame; name it and what it wrote."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 9, 2).tolist())
    before, after = rng.uniform(0, 255, (2, 2 * shape[0], 2 * shape[1])).astype(np.float32)
    theta, flow = rng.normal(0, 3, (2, 3)), np.empty(shape, np.float32)
    gradient = np.empty_like(after)
    normal_flow.gradient_length(after, gradient)
    yield "gradient_length", gradient
    normal_flow.normal_flow(before, after, gradient, theta, 8.0, flow)
    yield "normal_flow", flow.copy()
    displacement = rng.normal(0, 5, (*shape, 2)).astype(np.float32)
    coverage = (rng.random(shape) < 0.9).astype(np.float32)
    motion = np.empty_like(displacement)
    parallax.residual_motion(displacement, coverage, theta, motion)
    yield "residual_motion", motion
    residual = np.sqrt(np.square(motion).sum(axis=-1))
    parallax.explain_by_border(motion, coverage, 3, 2, residual)
    yield "explain_by_border", residual.copy()
    energy.lower_to(flow, 1.3, residual)
    yield "lower_to", residual
    blurred = np.empty(shape, np.float32)
    appearance.blur(residual, float(rng.uniform(0.1, 2)), np.empty(shape, np.float32), blurred)
    yield "blur", blurred
    bins, chroma = np.empty(shape, np.int32), rng.normal(128, 9, (2, *shape)).astype(np.float32)
    appearance.colour_bins(after, chroma, bins)
    yield "colour_bins", bins
    table, totals = np.zeros((appearance.BINS, 3), np.int64), np.zeros(7, np.int64)
    appearance.count_colours(blurred, bins, 1, 1, table, totals)
    yield "count_colours", np.concatenate([table.ravel(), totals])
    weighed = np.empty(shape, np.float32)
    appearance.weigh_by_colour(blurred, bins, 0, table, totals, weighed)
    yield "weigh_by_colour", weighed
    plane, means = rng.integers(0, 256, (11, 13), np.uint8), np.empty((4, 5), np.float32)
    luma.mean_plane(plane, 12, 1, 1, 2, 1, 2, 0.3, means)
    yield "mean_plane", means
    reach = min(shape[0] // 2, 1), min(shape[1] // 2, 2)
    yield "best_correlation", np.array([luma.best_correlation(before, after, *reach)])


def digests() -> str:
    """One line for each kernel and frame."""
    return "\n".join(
        f"{seed} {name} {sha256(values.tobytes()).hexdigest()}" for seed in range(5) for name, values in worked(seed)
    )


def test_without_the_compiler_the_bytes_are_the_same() -> None:
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    plain = subprocess.run(
        [sys.executable, str(Path(__file__))], env=environment, capture_output=True, text=True, check=True
    )
    assert plain.stdout.splitlines() == digests().splitlines()


if __name__ == "__main__":
    sys.stdout.write(digests())
