"""Random numbers that are the same for ever, wherever a run of frames starts.

Raw draws of NumPy's Philox bit generator are used because its stream, unlike the methods of ``Generator``, is promised never to
change, and because it can start at any position at once.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_PER_COUNTER = 4


def derive_seed(*parts: object) -> int:
    """Hash anything printable into a 64-bit seed, the same on every machine."""
    text = "\x1f".join(str(part) for part in parts).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def draws(seed: int, first: int, rows: int, per_row: int) -> NDArray[np.uint64]:
    """Draw ``per_row`` numbers for each of the rows ``first`` .. ``first + rows - 1``.

    Row i is the same however the rows are cut into runs.

    Returns
    -------
    uint64 (rows, per_row)
    """
    blocks = -(-per_row // _PER_COUNTER)
    bits = np.random.Philox(key=seed, counter=first * blocks)
    raw = bits.random_raw(rows * blocks * _PER_COUNTER)
    return raw.reshape(rows, blocks * _PER_COUNTER)[:, :per_row]


def unit(raw: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Map draws to numbers between 0 and 1, both excluded, evenly spaced by ``2**-52``."""
    return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52  # of one more bit, the last would round to 1


def below(raw: NDArray[np.uint64], limit: int) -> NDArray[np.int64]:
    """Map draws to 0 .. limit-1; the bias of the remainder is below ``limit / 2**64``."""
    return (raw % np.uint64(limit)).astype(np.int64)
