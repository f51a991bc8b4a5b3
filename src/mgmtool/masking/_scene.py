"""What the stages of the energy hand on: consecutive frames of one scene, and their energy."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import numpy as np

from mgmtool.types import Bool, Float32, FrameFlag, FrameMotion

T = TypeVar("T")


class KnownFrame(NamedTuple):
    """A frame on its way, with what is known of it so far."""

    frame: FrameMotion
    flags: FrameFlag


class SceneFrames(NamedTuple, Generic[T]):
    """Consecutive frames of one scene; stages work on many at a time, since each step of Python costs as much as a kernel.

    Attributes
    ----------
    items : list
        What goes along with each frame.
    valid : bool (n,)
        Whether the vectors of a frame count.
    energy : float32 (n, rows, cols)
        Energy on the cells.
    """

    items: list[T]
    valid: Bool
    energy: Float32

    def part(self, first: int, stop: int) -> SceneFrames[T]:
        """Return the frames first..stop-1; views."""
        return SceneFrames(self.items[first:stop], self.valid[first:stop], self.energy[first:stop])

    def followed_by(self, later: SceneFrames[T]) -> SceneFrames[T]:
        """Return these frames and those after them."""
        if not self.items:
            return later
        valid, energy = np.concatenate([self.valid, later.valid]), np.concatenate([self.energy, later.energy])
        return SceneFrames(self.items + later.items, valid, energy)


def no_frames() -> SceneFrames[T]:
    """Return no frames."""
    return SceneFrames([], np.zeros(0, np.bool_), np.zeros((0, 0, 0), np.float32))
