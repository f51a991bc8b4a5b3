"""Exact medians of float32 values in linear time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel

Float32 = NDArray[np.float32]
UInt32 = NDArray[np.uint32]

BUCKETS = 2048
"""Length of the ``counts`` scratch of :func:`median`."""
_LOW_BITS = np.uint32(21)


_SIGN = np.uint32(0x80000000)
_ALL = np.uint32(0xFFFFFFFF)


@kernel
def _keys(values: Float32, n: int, keys: UInt32) -> None:
    """Map the bits of float32 values to whole numbers of the same order."""
    bits = values.view(np.int32)
    for i in range(n):
        here = bits[i]
        keys[i] = np.uint32(here) ^ (np.uint32(here >> 31) | _SIGN)


@kernel
def _extremes(keys: UInt32, n: int) -> tuple[np.uint32, np.uint32]:
    """Return the smallest and the largest of the first ``n``."""
    lowest, highest = _ALL, np.uint32(0)
    for i in range(n):
        lowest = min(lowest, keys[i])
        highest = max(highest, keys[i])
    return lowest, highest


@kernel
def _value(key: np.uint32) -> float:
    """Return the value of a key."""
    bits = np.empty(1, np.uint32)
    bits[0] = key ^ _SIGN if key & _SIGN else key ^ _ALL
    return np.float64(bits.view(np.float32)[0])  # float() would keep float32 when compiled


@kernel
def _smallest(keys: UInt32, n: int, rank: int) -> np.uint32:
    """Return the key of a rank (0 = smallest) among the first ``n``, which are reordered (Hoare's selection)."""
    low, high = 0, n - 1
    while low < high:
        pivot = keys[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while keys[i] < pivot:
                i += 1
            while keys[j] > pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return np.uint32(keys[rank])


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
    keys = scratch.view(np.uint32)
    _keys(values, n, keys)
    # Values of one frame share a few exponents: clearing and walking all the buckets would cost more than counting.
    lowest, highest = _extremes(keys, n)
    bucket = int(np.int64(lowest >> _LOW_BITS))
    counts[bucket : np.int64(highest >> _LOW_BITS) + 1] = 0
    for i in range(n):
        counts[keys[i] >> _LOW_BITS] += 1
    lower, upper = (n - 1) // 2, n // 2
    before = 0
    while before + counts[bucket] <= lower:
        before += int(np.int64(counts[bucket]))
        bucket += 1
    inside = int(np.int64(counts[bucket]))
    last = bucket
    while upper - before >= inside:  # the middle two may lie in different buckets, with empty ones between them
        last += 1
        inside += int(np.int64(counts[last]))
    _gather(keys, n, bucket, last)
    lowest, highest = _extremes(keys, inside)
    if lowest == highest:  # at rest, most values are the same, and a selection among them is slow
        return _value(lowest)
    middle = _value(_smallest(keys, inside, lower - before))
    if upper == lower:
        return middle
    return 0.5 * (middle + _value(_smallest(keys, inside, upper - before)))


@kernel
def _gather(keys: UInt32, n: int, first: int, last: int) -> None:
    """Move the keys of some buckets to the start, without a branch that is hard to foresee."""
    inside = 0
    for i in range(n):
        key = keys[i]
        bucket = int(np.int64(key >> _LOW_BITS))
        keys[inside] = key
        inside += (bucket >= first) & (bucket <= last)


@kernel
def small_median(values: Float32) -> float:
    """Median of a few values, which are sorted in place; the mean of the middle two when their number is even.

    Parameters
    ----------
    values : float32 (n,)
        No NaN; n > 0.

    Returns
    -------
    float
    """
    n = values.size
    for i in range(1, n):
        value = values[i]
        j = i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
    return 0.5 * (np.float64(values[(n - 1) // 2]) + np.float64(values[n // 2]))
