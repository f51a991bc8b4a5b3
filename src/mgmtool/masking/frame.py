"""Whole tubelets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mgmtool.masking._draws import draws
from mgmtool.masking._subsets import boxless, pick
from mgmtool.masking.base import Motionless, require_clip
from mgmtool.types import Placement, PlacementRequest


@dataclass(frozen=True)
class Frame(Motionless):
    """Whole tubelets, picked at random (VideoMAE's frame masking); for clips only.

    Where whole tubelets do not make up the count, the rest are random tokens of one more tubelet (our choice). The count is
    exact over the clip. A frame of a mask volume, hidden or not, cannot have the exact count.
    """

    exact: ClassVar[str] = "clip"
    volumes: ClassVar[bool] = False

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        require_clip(request, "frame hides whole frames")
        frames, tokens = len(request.energy), request.energy[0].size
        whole, rest = divmod(request.layout.masked * frames, tokens)
        raw = draws(request.seed, 0, 1, frames + tokens)[0]
        order = np.argsort(raw[:frames], kind="stable")
        mask = np.zeros(request.energy.shape, np.bool_)
        mask[order[:whole]] = True
        if rest:
            mask[order[whole]] = pick(np.ones(mask.shape[1:], np.bool_), rest, raw[frames:])
        return boxless(mask)


PLUGIN = Frame
