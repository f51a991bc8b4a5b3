"""Exact medians of float32 values in linear time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel

Float32 = NDArray[np.float32]

BUCKETS = 2048
"""Length of the ``counts`` scratch of :func:`median`."""
_LOW_BITS = 21


@kernel
def _key(bits: np.int64) -> np.int64:
    """Map the bits of a float32 to an integer of the same order."""
    return bits ^ 0xFFFFFFFF if bits & 0x80000000 else bits ^ 0x80000000


@kernel
def _smallest(values: Float32, n: int, rank: int) -> float:
    """Return the value of a rank (0 = smallest) among the first ``n``, which are reordered (Hoare's selection)."""
    low, high = 0, n - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return np.float64(values[rank])  # float() would keep float32 when compiled


@kernel
def median(values: Float32, n: int, counts: NDArray[np.int32], scratch: Float32) -> float:
    """Median of the first ``n`` values; the mean of the middle two when n is even, as ``numpy.median``.

    One counting pass over the top 11 bits finds the bucket of the middle; only that bucket is searched. Selecting within all
    values costs four times as much on the residuals of a frame.

    Parameters
    ----------
    values : float32 (>= n,)
        No NaN. Not changed.
    n : int
        How many of them count.
    counts : int32 (2048,)
        Scratch.
    scratch : float32 (>= n,)
        Scratch.

    Returns
    -------
    float
        The median; 0 for n = 0.
    """
    if n == 0:
        return 0.0
    bits = values.view(np.uint32)
    # Values of one frame share a few exponents: clearing and walking all the buckets would cost more than counting.
    bucket = BUCKETS - 1
    last = 0
    for i in range(n):
        here = int(_key(np.int64(bits[i])) >> _LOW_BITS)
        bucket = min(bucket, here)
        last = max(last, here)
    counts[bucket : last + 1] = 0
    for i in range(n):
        counts[_key(np.int64(bits[i])) >> _LOW_BITS] += 1
    upper = n // 2
    lower = (n - 1) // 2
    before = 0
    while before + counts[bucket] <= lower:
        before += counts[bucket]
        bucket += 1
    inside = _gather(values, bits, n, bucket, scratch)
    middle = _smallest(scratch, inside, lower - before)
    if upper == lower:
        return middle
    if upper - before < inside:
        return 0.5 * (middle + _smallest(scratch, inside, upper - before))
    bucket += 1
    while counts[bucket] == 0:
        bucket += 1
    inside = _gather(values, bits, n, bucket, scratch)
    return 0.5 * (middle + _smallest(scratch, inside, 0))


@kernel
def _gather(values: Float32, bits: NDArray[np.uint32], n: int, bucket: int, scratch: Float32) -> int:
    """Copy the values of one bucket and return how many there are."""
    inside = 0
    for i in range(n):
        if _key(np.int64(bits[i])) >> _LOW_BITS == bucket:
            scratch[inside] = values[i]
            inside += 1
    return inside
