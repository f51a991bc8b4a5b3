"""Pictures of a clip at the size of a network's input, with NumPy alone."""

from __future__ import annotations

import numpy as np

from mgmtool.types import Float32, Int64, UInt8


def resize(rgb: UInt8, height: int, width: int) -> UInt8:
    """Resize by a triangle filter that is as wide as the step, so that a smaller picture has no aliasing.

    The values are those of ``torch.nn.functional.interpolate(mode="bilinear", antialias=True)`` to within rounding.

    Parameters
    ----------
    rgb : uint8 (frames, height, width, 3)
        Pictures.
    height, width : int
        Wanted size.

    Returns
    -------
    uint8 (frames, height, width, 3)
        Values rounded, halves to even.
    """
    return np.rint(_along(_along(rgb.astype(np.float32), 1, height), 2, width)).astype(np.uint8)


def _along(values: Float32, axis: int, size: int) -> Float32:
    """Resize one axis; sums are made tap by tap, in order."""
    index, weight = _taps(values.shape[axis], size)
    shape = [1] * values.ndim
    shape[axis] = size
    total = np.zeros([*values.shape[:axis], size, *values.shape[axis + 1 :]], np.float32)
    for places, weights in zip(index.T, weight.T, strict=True):
        total += values.take(places, axis) * weights.reshape(shape)
    return total


def _taps(before: int, after: int) -> tuple[Int64, Float32]:
    """Where each output sample looks, and how much it takes from there: int64 and float32 (after, taps)."""
    step = before / after
    reach = max(step, 1.0)
    middle = (np.arange(after) + 0.5) * step
    start = np.floor(middle - reach + 0.5).astype(np.int64)
    index = start[:, None] + np.arange(int(np.ceil(reach)) * 2 + 1)
    weight = np.maximum(0.0, 1.0 - np.abs(index + 0.5 - middle[:, None]) / reach)
    weight[(index < 0) | (index >= before)] = 0.0
    weight /= weight.sum(axis=1, keepdims=True)
    return index.clip(0, before - 1), weight.astype(np.float32)
