"""Draw on one frame: arrays in, arrays out, no files.

From bottom to top: the frame, hidden patches dimmed, energy as heat, motion arrows, the box. Every coordinate is a pixel of the
image that is drawn on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mgmtool.drawing.arrows import draw_arrows
from mgmtool.drawing.style import BRIGHT, DARK, Colour, line_width
from mgmtool.types import Bool, Float32, UInt8

_KEEP, _KEEP_DARK = 0.40, 0.15
_VEIL: Colour = (26, 30, 46)
_HATCHED: Colour = (104, 112, 138)
_HATCH = 6
"""Pixels from one line of the hatching to the next."""
_SMALLEST_RULED_PATCH = 8
_HEAT_ANCHORS = (
    (0, 0, 4), (31, 12, 72), (85, 15, 109), (136, 34, 106), (186, 54, 85), (227, 89, 51), (249, 140, 10), (249, 201, 50),
    (252, 255, 164),
)  # fmt: skip
_HEAT_OPACITY = 0.64


@dataclass(frozen=True, slots=True)
class Layers:
    """What to draw.

    Attributes
    ----------
    mask, box, energy, arrows : bool
        Dim hidden patches; outline the box; show energy as heat; show where the content of each cell came from.
    dark : bool
        Make hidden patches nearly black and hatched, so that they show on small and dark images, too.
    """

    mask: bool = True
    box: bool = True
    energy: bool = True
    arrows: bool = False
    dark: bool = False


def overlay(
    image: UInt8,
    *,
    mask: Bool | None = None,
    box: Sequence[int] | None = None,
    energy: Float32 | None = None,
    arrows: Float32 | None = None,
    layers: Layers | None = None,
) -> UInt8:
    """Draw layers on an image; a layer without values is skipped.

    Parameters
    ----------
    image : uint8 (height, width, 3)
        The frame; it is not changed.
    mask : bool (rows, cols), optional
        True = hidden: dimmed.
    box : (y0, x0, y1, x1), optional
        Half-open, in pixels of this image. Drawn inside its edges; an empty box is not drawn.
    energy : float32 (rows, cols), optional
        0..1 over the whole image; 1 is the hottest colour.
    arrows : float32 (n, 4), optional
        Tail and head ``y x y x`` in pixels of this image, see :func:`arrows_of`.
    layers : Layers, optional
        What to draw; by default all but arrows.

    Returns
    -------
    uint8 (height, width, 3)
        A new image.
    """
    layers = Layers() if layers is None else layers
    drawn = image.copy()
    if layers.mask and mask is not None:
        dim_hidden(drawn, mask, layers.dark)
    if layers.energy and energy is not None:
        drawn = blend_heat(drawn, energy)
    if layers.arrows and arrows is not None:
        drawn = draw_arrows(drawn, arrows)
    if layers.box and box is not None:
        outline_box(drawn, box)
    return drawn


def resize(image: UInt8, height: int, width: int) -> UInt8:
    """Resample an image smoothly; uint8 (height, width, 3). One of that size is returned as it is."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


def fitted(height: int, width: int, max_side: int) -> tuple[int, int]:
    """Scale a size down so that no side exceeds ``max_side``, keeping its proportions; never enlarges."""
    scale = min(1.0, max_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def patch_edges(patches: int, pixels: int) -> NDArray[np.int64]:
    """Return the first pixel of every patch along one axis, and the end of the last: int64 (patches + 1,)."""
    return np.array([round(i * pixels / patches) for i in range(patches + 1)], np.int64)


def dim_hidden(image: UInt8, mask: Bool, dark: bool = False) -> None:
    """Dim the hidden patches of an image in place, and rule their edges so that they can be counted."""
    edges = [patch_edges(count, pixels) for count, pixels in zip(mask.shape, image.shape, strict=False)]
    hidden = mask.repeat(np.diff(edges[0]), axis=0).repeat(np.diff(edges[1]), axis=1)
    _mix(image, hidden, _KEEP_DARK if dark else _KEEP, _VEIL)
    if dark:
        diagonal = np.add.outer(np.arange(hidden.shape[0]), np.arange(hidden.shape[1])) % _HATCH
        _mix(image, hidden & (diagonal == 0), _KEEP, _HATCHED)
    if min(np.diff(edge).min() for edge in edges) >= _SMALLEST_RULED_PATCH:
        ruled = np.zeros_like(hidden)
        ruled[edges[0][:-1], :] = ruled[:, edges[1][:-1]] = True
        ruled &= hidden
        image[ruled] = (0.72 * image[ruled]).astype(np.uint8)


def _mix(image: UInt8, where: Bool, keep: float, colour: Colour) -> None:
    """Keep a share of the pixels and fill the rest with a colour, in place."""
    values = np.arange(256)[:, None]
    mixed = (keep * values + (1 - keep) * np.array(colour)).round().astype(np.uint8)
    image[where] = mixed[image[where], np.arange(3)]


def heat_tables() -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Return, for each of 256 levels of heat, colour times opacity (256, 3) and what is left of the frame (256, 1), in 1/256."""
    level = np.linspace(0.0, 1.0, 256)
    stops = np.linspace(0.0, 1.0, len(_HEAT_ANCHORS))
    # The lowest colours are nearly black: they would read as a mask, so heat fades out before it gets there.
    shown = 0.22 + 0.78 * level
    colour = np.stack([np.interp(shown, stops, channel) for channel in zip(*_HEAT_ANCHORS, strict=True)], axis=1)
    opacity = _HEAT_OPACITY * np.clip(level / 0.6, 0.0, 1.0)[:, None]
    return (256 * opacity * colour).round().astype(np.uint16), (256 * (1 - opacity)).round().astype(np.uint16)


_HEAT_COLOUR, _HEAT_REST = heat_tables()


def blend_heat(image: UInt8, energy: Float32) -> UInt8:
    """Blend energy (0..1) over an image as heat, interpolated between the centres of its cells; returns a new image."""
    height, width = image.shape[:2]
    levels = np.clip(np.nan_to_num(energy), 0.0, 1.0).astype(np.float32) * 255
    smooth = Image.fromarray(levels).resize((width, height), Image.Resampling.BICUBIC)
    level = np.clip(np.asarray(smooth).round(), 0, 255).astype(np.uint8)
    blended: UInt8 = ((image * _HEAT_REST[level] + _HEAT_COLOUR[level]) >> 8).astype(np.uint8)
    return blended


def outline_box(image: UInt8, box: Sequence[int]) -> None:
    """Draw a bright line between two dark ones just inside a box, in place, so that it shows on any background."""
    y0, x0, y1, x1 = (int(value) for value in box)
    bright = line_width(*image.shape[:2])
    dark = max(1, bright // 2)
    for width, colour in ((dark, DARK), (bright, BRIGHT), (dark, DARK)):
        top, left, bottom, right = (max(0, value) for value in (y0, x0, y1, x1))
        if bottom <= top or right <= left:
            return
        ring = image[top:bottom, left:right]
        ring[:width] = ring[-width:] = ring[:, :width] = ring[:, -width:] = colour
        y0, x0, y1, x1 = y0 + width, x0 + width, y1 - width, x1 - width
