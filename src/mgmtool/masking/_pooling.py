"""Energy pooled over neighbouring frames, as a stream."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np

from mgmtool.kernels.runs import pool_run
from mgmtool.masking._scene import SceneFrames, no_frames

T = TypeVar("T")


class TemporalPool(Generic[T]):
    """Triangular mean over ``2 half + 1`` frames; holds that many, answers ``half`` frames late, never crosses a scene.

    Parameters
    ----------
    half : int
        Frames on each side, >= 0.
    """

    def __init__(self, half: int) -> None:
        self._half = half
        self._seen: SceneFrames[T] = no_frames()
        self._first = 0
        """Number of frames at the start of ``_seen`` that were answered."""

    def push(self, batch: SceneFrames[T]) -> SceneFrames[T]:
        """Take the next frames of the scene; return those whose neighbours are complete, with their pooled energy."""
        if batch.items:
            self._seen = self._seen.followed_by(batch)
        return self._taken(len(self._seen.items) - self._half)

    def flush(self) -> SceneFrames[T]:
        """End the scene: return what still waits and forget everything."""
        rest = self._taken(len(self._seen.items))
        self._seen, self._first = no_frames(), 0
        return rest

    def _taken(self, stop: int) -> SceneFrames[T]:
        """Answer the frames before ``stop``, and forget those that no later one needs."""
        first, seen = self._first, self._seen
        if stop <= first:
            return no_frames()
        pooled = np.empty((stop - first, *seen.energy.shape[1:]), np.float32)
        pool_run(seen.energy, seen.valid, first, self._half, pooled)
        past = max(stop - self._half, 0)
        self._seen, self._first = seen.part(past, len(seen.items)), stop - past
        return seen.part(first, stop)._replace(energy=pooled)
