"""Statistics whose size does not depend on the number of values."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

K = TypeVar("K", bound=Hashable)


class Bins:
    """A histogram with fixed bins: ``counts[k]`` values are above ``edges[k - 1]`` and at most ``edges[k]``.

    Parameters
    ----------
    edges : sequence of float
        Ascending. Values above the last have a bin of their own.

    Attributes
    ----------
    counts : int64 (len(edges) + 1,)
    """

    def __init__(self, edges: Sequence[float]) -> None:
        self.edges = tuple(edges)
        self.counts = np.zeros(len(edges) + 1, np.int64)

    def add(self, values: ArrayLike) -> None:
        """Count some values; NaN is ignored."""
        known = np.asarray(values, np.float64)
        known = known[~np.isnan(known)]
        self.counts += np.bincount(np.searchsorted(self.edges, known), minlength=len(self.counts))

    @property
    def total(self) -> int:
        """Values counted."""
        return int(self.counts.sum())

    def above(self, share: float) -> float:
        """Return the upper edge of the bin in which a share of the values is reached; at most the last edge."""
        reached = int(np.searchsorted(np.cumsum(self.counts), share * self.total))
        return self.edges[min(reached, len(self.edges) - 1)]


class Groups(Generic[K]):
    """Sums of numbers by key, for a limited number of keys; numbers of further keys are summed in :attr:`rest`.

    Parameters
    ----------
    limit : int
        Most keys.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.sums: dict[K, list[float]] = {}
        self.examples: dict[K, Any] = {}
        self.rest: list[float] = []

    def add(self, key: K, *values: float, example: Any = None) -> None:
        """Add numbers to those of a key; the first example of each key is kept."""
        if key not in self.sums and len(self.sums) >= self._limit:
            self.rest = _sum(self.rest, values)
            return
        self.sums[key] = _sum(self.sums.get(key, []), values)
        self.examples.setdefault(key, example)

    def most(self) -> list[tuple[K, list[float], Any]]:
        """Return keys, sums and examples, by the first sum from large to small; equal ones stay in order."""
        return sorted(((key, sums, self.examples[key]) for key, sums in self.sums.items()), key=lambda g: -g[1][0])


def _sum(one: Sequence[float], other: Sequence[float]) -> list[float]:
    return [a + b for a, b in zip(one, other, strict=True)] if one else list(other)


class Best:
    """The items with the largest keys of all that were offered.

    Parameters
    ----------
    limit : int
        How many are kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._offered = limit, 0
        self._heap: list[tuple[Any, int, Any]] = []

    def add(self, key: Any, item: Any) -> None:
        """Offer an item; of two equal keys, the earlier one counts as larger."""
        self._offered += 1
        entry = (key, -self._offered, item)
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, entry)
        elif self._heap and entry[:2] > self._heap[0][:2]:
            heapq.heapreplace(self._heap, entry)

    @property
    def offered(self) -> int:
        """How many items were offered."""
        return self._offered

    def items(self) -> list[Any]:
        """Return the items that were kept, largest key first."""
        return [item for _, _, item in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]
