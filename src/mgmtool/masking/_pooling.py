"""Energy pooled over neighbouring frames, as a stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np

from mgmtool.kernels.energy import pool
from mgmtool.types import Float32

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
        self._window = np.zeros((2 * half + 1, 0, 0), np.float32)
        self._valid = np.zeros(2 * half + 1, np.bool_)
        self._waiting: deque[T] = deque()

    def push(self, item: T, energy: Float32, valid: bool) -> Iterator[tuple[T, Float32]]:
        """Take the energy of the next frame; yield items whose neighbours are complete, with their pooled energy.

        Energy of another shape starts a new scene.
        """
        if energy.shape != self._window.shape[1:]:
            yield from self.flush()
            self._window = np.zeros((2 * self._half + 1, *energy.shape), np.float32)
        self._waiting.append(item)
        self._shift()
        self._window[-1] = energy
        self._valid[-1] = valid
        if len(self._waiting) > self._half:
            yield self._oldest()

    def flush(self) -> Iterator[tuple[T, Float32]]:
        """End the scene: yield what still waits and forget everything."""
        shifts = self._half + 1 - len(self._waiting)
        while self._waiting:
            for _ in range(shifts):
                self._shift()
            shifts = 1
            yield self._oldest()
        self._valid[:] = False

    def _shift(self) -> None:
        self._window[:-1] = self._window[1:]
        self._valid[:-1] = self._valid[1:]
        self._valid[-1] = False

    def _oldest(self) -> tuple[T, Float32]:
        pooled = np.empty(self._window.shape[1:], np.float32)
        pool(self._window, self._valid, pooled)
        return self._waiting.popleft(), pooled
