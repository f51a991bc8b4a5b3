"""What is drawn on a picture: arrays in, arrays out, no files.

From bottom to top: the picture, hidden patches dimmed, energy as heat, motion arrows, the box. Every coordinate is a pixel of the
picture that is drawn on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mgmtool.types import Bool, Float32, UInt8

Colour = tuple[int, int, int]

BRIGHT: Colour = (90, 255, 220)
DARK: Colour = (8, 10, 14)
ARROW: Colour = (255, 255, 255)

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
_MOST_ARROWS = 24
_FINER = 2


@dataclass(frozen=True, slots=True)
class Layers:
    """What is drawn.

    Attributes
    ----------
    mask, box, energy, arrows : bool
        Hidden patches dimmed; the box; energy as heat; where the content of each cell came from.
    dark : bool
        Hidden patches nearly black and hatched, so that small and dark pictures show them, too.
    """

    mask: bool = True
    box: bool = True
    energy: bool = True
    arrows: bool = False
    dark: bool = False


def overlay(
    picture: UInt8,
    *,
    mask: Bool | None = None,
    box: Sequence[int] | None = None,
    energy: Float32 | None = None,
    arrows: Float32 | None = None,
    layers: Layers | None = None,
) -> UInt8:
    """Draw layers on a picture; a layer whose values are missing is not drawn.

    Parameters
    ----------
    picture : uint8 (height, width, 3)
        Left as it is.
    mask : bool (rows, cols), optional
        True = hidden: dimmed.
    box : (y0, x0, y1, x1), optional
        Half-open, in pixels of this picture. Drawn inside its edges; an empty one is not drawn.
    energy : float32 (rows, cols), optional
        0..1 over the whole picture; 1 is the hottest colour.
    arrows : float32 (n, 4), optional
        Tail and head ``y x y x`` in pixels of this picture, see :func:`arrows_of`.
    layers : Layers, optional
        What to draw; by default all but arrows.

    Returns
    -------
    uint8 (height, width, 3)
    """
    layers = Layers() if layers is None else layers
    drawn = picture.copy()
    if layers.mask and mask is not None:
        _dim(drawn, mask, layers.dark)
    if layers.energy and energy is not None:
        drawn = _heat(drawn, energy)
    if layers.arrows and arrows is not None:
        drawn = _with_arrows(drawn, arrows)
    if layers.box and box is not None:
        _outline(drawn, box)
    return drawn


def resize(picture: UInt8, height: int, width: int) -> UInt8:
    """Resample a picture smoothly; uint8 (height, width, 3)."""
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))


def fitted(height: int, width: int, max_side: int) -> tuple[int, int]:
    """Height and width at most ``max_side``, in the same proportion; never enlarged."""
    scale = min(1.0, max_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def patch_edges(patches: int, pixels: int) -> NDArray[np.int64]:
    """First pixel of every patch of one axis, and the end of the last: int64 (patches + 1,)."""
    return np.array([round(i * pixels / patches) for i in range(patches + 1)], np.int64)


def _dim(drawn: UInt8, mask: Bool, dark: bool) -> None:
    """Veil hidden patches, and rule their edges so that they can be counted."""
    edges = [patch_edges(count, pixels) for count, pixels in zip(mask.shape, drawn.shape, strict=False)]
    hidden = mask.repeat(np.diff(edges[0]), axis=0).repeat(np.diff(edges[1]), axis=1)
    _veil(drawn, hidden, _KEEP_DARK if dark else _KEEP, _VEIL)
    if dark:
        diagonal = np.add.outer(np.arange(hidden.shape[0]), np.arange(hidden.shape[1])) % _HATCH
        _veil(drawn, hidden & (diagonal == 0), _KEEP, _HATCHED)
    if min(np.diff(edge).min() for edge in edges) >= _SMALLEST_RULED_PATCH:
        ruled = np.zeros_like(hidden)
        ruled[edges[0][:-1], :] = ruled[:, edges[1][:-1]] = True
        ruled &= hidden
        drawn[ruled] = (0.72 * drawn[ruled]).astype(np.uint8)


def _veil(drawn: UInt8, where: Bool, keep: float, colour: Colour) -> None:
    """Mix a colour in, of which ``1 - keep`` is taken."""
    values = np.arange(256)[:, None]
    veiled = (keep * values + (1 - keep) * np.array(colour)).round().astype(np.uint8)
    drawn[where] = veiled[drawn[where], np.arange(3)]


def _heat_tables() -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Colour times opacity, and what is left of the picture, by level; both in 1/256."""
    level = np.linspace(0.0, 1.0, 256)
    stops = np.linspace(0.0, 1.0, len(_HEAT_ANCHORS))
    # The lowest colours are nearly black: they would read as a mask, so heat fades out before it gets there.
    shown = 0.22 + 0.78 * level
    colour = np.stack([np.interp(shown, stops, channel) for channel in zip(*_HEAT_ANCHORS, strict=True)], axis=1)
    opacity = _HEAT_OPACITY * np.clip(level / 0.6, 0.0, 1.0)[:, None]
    return (256 * opacity * colour).round().astype(np.uint16), (256 * (1 - opacity)).round().astype(np.uint16)


_HEAT_COLOUR, _HEAT_REST = _heat_tables()


def _heat(drawn: UInt8, energy: Float32) -> UInt8:
    """Lay energy over the picture as translucent heat, smooth between the middles of its cells."""
    height, width = drawn.shape[:2]
    levels = np.clip(np.nan_to_num(energy), 0.0, 1.0).astype(np.float32) * 255
    smooth = Image.fromarray(levels).resize((width, height), Image.Resampling.BICUBIC)
    level = np.clip(np.asarray(smooth).round(), 0, 255).astype(np.uint8)
    blended: UInt8 = ((drawn * _HEAT_REST[level] + _HEAT_COLOUR[level]) >> 8).astype(np.uint8)
    return blended


def _outline(drawn: UInt8, box: Sequence[int]) -> None:
    """Draw a bright line between two dark ones just inside the box, so that it shows on anything."""
    y0, x0, y1, x1 = (int(value) for value in box)
    if y1 <= y0 or x1 <= x0:
        return
    bright = line_width(*drawn.shape[:2])
    dark = max(1, bright // 2)
    inset = 0
    for width, colour in ((dark, DARK), (bright, BRIGHT), (dark, DARK)):
        _ring(drawn, (y0 + inset, x0 + inset, y1 - inset, x1 - inset), width, colour)
        inset += width


def line_width(height: int, width: int) -> int:
    """Width of lines that read well on a picture of this size, in pixels."""
    return max(2, round(min(height, width) / 150))


def _ring(drawn: UInt8, box: tuple[int, int, int, int], width: int, colour: Colour) -> None:
    y0, x0, y1, x1 = (max(0, value) for value in box)
    if y1 <= y0 or x1 <= x0:
        return
    inside = drawn[y0:y1, x0:x1]
    inside[:width] = inside[-width:] = inside[:, :width] = inside[:, -width:] = colour


def arrows_of(displacement: Float32, coverage: Float32, cell: float, height: int, width: int) -> Float32:
    """Turn a motion field into arrows that are few enough to read.

    Cells are joined into squares so that at most 24 arrows stand side by side; an arrow shows the mean over the covered area
    of its square. It starts where the content came from and ends at the middle of the square, where it is now.

    Parameters
    ----------
    displacement : float32 (rows, cols, 2)
        (dy, dx) in pixels of the picture.
    coverage : float32 (rows, cols)
        Share of each cell with vectors; squares with next to none get no arrow.
    cell : float
        Side of a cell in pixels of the picture.
    height, width : int
        Size of the picture; the last cells may be cut by it.

    Returns
    -------
    float32 (n, 4)
        Tail and head, ``y x y x``.
    """
    rows, cols = coverage.shape
    step = math.ceil(max(rows, cols) / _MOST_ARROWS)
    weight = _squares(coverage, step)
    total = np.stack([_squares(displacement[..., axis] * coverage, step) for axis in (0, 1)], axis=-1)
    ys, xs = (weight > 0.1 * step * step).nonzero()
    mean = total[ys, xs] / weight[ys, xs, None]
    middles = [(np.minimum((i + 1) * step * cell, end) + i * step * cell) / 2 for i, end in ((ys, height), (xs, width))]
    head = np.stack(middles, axis=-1)
    return np.concatenate([head - mean, head], axis=1).astype(np.float32)


def _squares(values: Float32, step: int) -> Float32:
    """Sum squares of ``step`` x ``step`` cells; cells beyond the end count as 0."""
    padded = np.pad(values, [(0, -n % step) for n in values.shape])
    rows, cols = padded.shape
    summed: Float32 = padded.reshape(rows // step, step, cols // step, step).sum(axis=(1, 3))
    return summed


def _with_arrows(drawn: UInt8, arrows: Float32) -> UInt8:
    """Draw arrows on a larger sheet and shrink it, for smooth edges."""
    height, width = drawn.shape[:2]
    layer = Image.new("RGBA", (width * _FINER, height * _FINER), (*DARK, 0))
    pen = ImageDraw.Draw(layer)
    thick = _FINER * max(1.5, 0.45 * line_width(height, width))
    # All rims first: a later arrow must not cut through an earlier one.
    for colour, rim in ((DARK, 0.8 * _FINER), (ARROW, 0.0)):
        for arrow in (_FINER * (arrows + 0.5)).tolist():
            _arrow(pen, arrow, thick, rim, (*colour, 255))
    small = layer.resize((width, height), Image.Resampling.BOX)
    base = Image.fromarray(drawn)
    base.paste(small, mask=small)
    return np.asarray(base).copy()


def _arrow(pen: ImageDraw.ImageDraw, arrow: Sequence[float], thick: float, rim: float, colour: tuple[int, ...]) -> None:
    """Draw one arrow, wider by a rim on all sides; motion too small for a head is a dot."""
    y0, x0, y1, x1 = arrow
    length = math.hypot(y1 - y0, x1 - x0)
    if length < thick:
        radius = 0.7 * thick + rim
        pen.ellipse((x1 - radius, y1 - radius, x1 + radius, y1 + radius), fill=colour)
        return
    head = min(length, 3.5 * thick)
    uy, ux = (y1 - y0) / length, (x1 - x0) / length
    # Along the arrow, and across it: tail, neck, barbs, tip. The tip needs more rim than a side to look as wide.
    shaft, barb = thick / 2 + rim, 0.45 * head + 1.4 * rim
    neck, tip = length - head - rim, length + 1.8 * rim
    half = [(-rim, shaft), (neck, shaft), (neck, barb), (tip, 0.0)]
    outline = half + [(along, -across) for along, across in reversed(half[:-1])]
    pen.polygon(
        [(x0 + ux * along - uy * across, y0 + uy * along + ux * across) for along, across in outline], fill=colour
    )
