"""The default scheme: a box that follows what moves against the camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.kernels.guided import place_guided
from mgmtool.masking._evidence import EvidenceOptions
from mgmtool.masking._residual import ResidualEnergy
from mgmtool.masking.base import Colourless
from mgmtool.types import Bool, Float32, Float64, FrameEnergy, FrameMotion, PatchGrid, Placement, PlacementRequest

_REFERENCE_TOKENS = 14
_REFERENCE_STRIDE = 4.0
_RANGES = {
    "c": (1e-6, 1e6),
    "pool": (0, 64),
    "smoothness": (0.0, 1e6),
    "sigma_min": (1e-6, 1e6),
    "kappa": (1e-6, 1e6),
    "centre_prior": (0.0, 1e3),
}


@dataclass(frozen=True)
class MotionGuided(Colourless):
    """A box on the largest motion against the camera, along a smooth path (MGM with camera compensation).

    That a box follows the highest motion is the MGM paper's (Fan et al., ICCV 2023); camera compensation, energy, pooling and
    path are our choice.

    Attributes
    ----------
    c : float
        Energy is ``log(1 + (r / (c sigma))^2)`` for residual motion r and noise sigma.
    pool : int
        Frames on each side over which energy is pooled with triangular weights, within a scene.
    border : int or None
        Outer cells without energy; None (``auto``) is 32 pixels at 480 lines, scaled with the short side, at least 1 cell.
    smoothness : float
        Cost of a squared jump of one token of a 14 x 14 grid from one tubelet to the next, where a tubelet is two frames at
        stride 2; scaled to other grids by ``(14 / n)^2`` and to other time steps by ``4 / frames a step``.
    sigma_min : float
        Least noise around the camera motion, in pixels.
    picture_check : bool
        Whether residual motion is lowered to what the pictures allow: vectors lie in flat regions and where lying is cheap.
    kappa : float
        Residual motion is at most this many times the normal flow between pictures.
    border_motion : bool
        Whether motion like that along the border of the frame counts as background (parallax).
    appearance : bool
        Whether energy is spread over what has the colours of what moves.
    centre_prior : float
        A prior, not evidence, and off (0) by default: energy counts ``exp(-centre_prior d^2 / 2)``, with d the distance from the
        centre of the crop in half sides.
    """

    c: float = 4.0
    pool: int = 2
    border: int | None = None
    smoothness: float = 0.006
    sigma_min: float = 0.15
    picture_check: bool = True
    kappa: float = 2.0
    border_motion: bool = True
    appearance: bool = True
    centre_prior: float = 0.0
    needs_motion: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the options."""
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise UsageError(f"motion-guided option {name} is {value}; expected {low:g} to {high:g}")
        if self.border is not None and self.border < 0:
            raise UsageError(f"motion-guided option border is {self.border}; expected auto, or 0 or more")

    @property
    def needs_chroma(self) -> bool:
        """For the colour model."""
        return self.appearance

    def energies(self, frames: Iterable[FrameMotion], grid: PatchGrid) -> Iterator[FrameEnergy]:
        """See :meth:`mgmtool.masking.Scheme.energies`."""
        evidence = EvidenceOptions(
            self.c, self.border, self.sigma_min, self.picture_check, self.kappa, self.border_motion
        )
        return ResidualEnergy(evidence, self.pool, self.appearance).energies(frames, grid)

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        return self._place(request.energy[None], request.cut[None], request, np.array([self._step_cost(request)]))[0]

    def place_many(self, requests: Sequence[PlacementRequest]) -> list[Placement]:
        """See :meth:`mgmtool.masking.Scheme.place_many`; one kernel call for all."""
        costs = np.array([self._step_cost(request) for request in requests])
        energy = np.stack([request.energy for request in requests])
        return self._place(energy, np.stack([request.cut for request in requests]), requests[0], costs)

    def _place(self, energy: Float32, cut: Bool, like: PlacementRequest, costs: Float64) -> list[Placement]:
        """Place boxes on the energy (clips, frames, rows, cols) of several requests of one layout and box before."""
        layout = like.layout
        corner, fallback = np.empty((*cut.shape, 2), np.int16), np.empty(cut.shape, np.bool_)
        mask = np.empty(energy.shape, np.bool_)
        start_y, start_x = like.previous or (-1, -1)
        weighed = energy
        if self.centre_prior:
            y, x = ((np.arange(n) + 0.5) / n * 2 - 1 for n in energy.shape[-2:])
            weighed = energy * np.exp(-0.5 * self.centre_prior * (y[:, None] ** 2 + x**2)).astype(np.float32)
        box = layout.box_rows, layout.box_cols
        place_guided(
            np.ascontiguousarray(energy), np.ascontiguousarray(weighed), cut, *box, layout.masked, costs, start_y, start_x,
            corner, fallback, mask,
        )  # fmt: skip
        return [Placement(*found) for found in zip(mask, corner, fallback, strict=True)]

    def _step_cost(self, request: PlacementRequest) -> float:
        side = max(request.layout.rows, request.layout.cols)
        return self.smoothness * (_REFERENCE_TOKENS / side) ** 2 * _REFERENCE_STRIDE / request.stride


PLUGIN = MotionGuided
