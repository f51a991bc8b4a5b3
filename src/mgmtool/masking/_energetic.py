"""Base of schemes that weigh tokens by the energy of the default scheme."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from mgmtool.masking.base import Colourless
from mgmtool.masking.motion_guided import MotionGuided
from mgmtool.types import FrameEnergy, FrameMotion, PatchGrid


class Energetic(Colourless):
    """Energy is that of ``motion-guided`` with its default options, so that a store of one serves the other."""

    needs_motion: ClassVar[bool] = True

    @property
    def needs_chroma(self) -> bool:
        """As ``motion-guided`` does."""
        return MotionGuided().needs_chroma

    def energies(self, frames: Iterable[FrameMotion], grid: PatchGrid) -> Iterator[FrameEnergy]:
        """See :meth:`mgmtool.masking.Scheme.energies`."""
        return MotionGuided().energies(frames, grid)
