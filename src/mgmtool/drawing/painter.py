"""Draw the masks of one scheme on the frames they belong to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgmtool.drawing.arrows import arrows_of
from mgmtool.drawing.overlay import Layers, overlay
from mgmtool.types import Float32, FrameMotion, MaskVolume, UInt8

_HOT = 0.98
"""Share of the frames whose energy stays below the hottest colour, so that one burst does not dim all the others."""


@dataclass(frozen=True, slots=True)
class MaskPainter:
    """The masks of one scheme, and what to draw of them.

    Attributes
    ----------
    volume : MaskVolume
        Masks of every frame.
    layers : Layers
        What to draw.
    peak : float
        Energy shown in the hottest colour, > 0.
    """

    volume: MaskVolume
    layers: Layers
    peak: float

    @classmethod
    def of(cls, volume: MaskVolume, layers: Layers) -> MaskPainter:
        """Scale the colours of heat to a volume."""
        if volume.energy is None or volume.energy_scale is None:
            return cls(volume, layers, 1.0)
        highest = volume.energy.max(axis=(1, 2)) * volume.energy_scale
        return cls(volume, layers, float(np.quantile(highest, _HOT)) or float(highest.max()) or 1.0)

    def paint(self, image: UInt8, row: int, shape: tuple[int, int], motion: FrameMotion | None = None) -> UInt8:
        """Draw the masks of one frame.

        Parameters
        ----------
        image : uint8 (height, width, 3)
            The frame at any size; it is not changed.
        row : int
            Row of the frame in the volume.
        shape : (int, int)
            Height and width of the video as displayed, which boxes refer to.
        motion : FrameMotion, optional
            Motion of the frame, drawn as arrows if the layers ask for them.

        Returns
        -------
        uint8 (height, width, 3)
        """
        height, width = image.shape[:2]
        scale = np.tile([height / shape[0], width / shape[1]], 2)
        energy: Float32 | None = None
        if self.volume.energy is not None and self.volume.energy_scale is not None:
            energy = np.asarray(self.volume.energy[row] * (self.volume.energy_scale[row] / self.peak), np.float32)
        arrows: Float32 | None = None
        if motion is not None and motion.displacement is not None and motion.coverage is not None:
            found = arrows_of(motion.displacement, motion.coverage, motion.cell, motion.height, motion.width)
            arrows = np.asarray(found * np.tile([height / motion.height, width / motion.width], 2), np.float32)
        return overlay(
            image,
            mask=self.volume.mask[row],
            box=np.round(self.volume.box[row] * scale).astype(int).tolist(),
            energy=energy,
            arrows=arrows,
            layers=self.layers,
        )
