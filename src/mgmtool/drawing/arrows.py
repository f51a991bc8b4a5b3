"""Motion as arrows: which ones to draw, and drawing them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from mgmtool.drawing.style import DARK, Colour, line_width
from mgmtool.types import Float32, UInt8

ARROW: Colour = (255, 255, 255)

_MOST_SIDE_BY_SIDE = 24
_FINER = 2
"""Arrows are drawn this many times larger and then shrunk, for smooth edges."""


def arrows_of(displacement: Float32, coverage: Float32, cell: float, height: int, width: int) -> Float32:
    """Turn a motion field into arrows that are few enough to read.

    Cells are joined into squares so that at most 24 arrows stand side by side. An arrow shows the mean over the covered area
    of its square: it starts where the content came from and ends at the middle of the square, where the content is now.

    Parameters
    ----------
    displacement : float32 (rows, cols, 2)
        (dy, dx) in pixels of the frame.
    coverage : float32 (rows, cols)
        Share of each cell with vectors; squares with next to none get no arrow.
    cell : float
        Side of a cell in pixels of the frame.
    height, width : int
        Size of the frame in pixels; it may cut the last cells.

    Returns
    -------
    float32 (n, 4)
        Tail and head, ``y x y x``, in pixels of the frame.
    """
    step = math.ceil(max(coverage.shape) / _MOST_SIDE_BY_SIDE)
    weight = _sum_squares(coverage, step)
    total = np.stack([_sum_squares(displacement[..., axis] * coverage, step) for axis in (0, 1)], axis=-1)
    ys, xs = (weight > 0.1 * step * step).nonzero()
    mean = total[ys, xs] / weight[ys, xs, None]
    middles = [(np.minimum((i + 1) * step * cell, end) + i * step * cell) / 2 for i, end in ((ys, height), (xs, width))]
    head = np.stack(middles, axis=-1)
    return np.concatenate([head - mean, head], axis=1).astype(np.float32)


def _sum_squares(values: Float32, step: int) -> Float32:
    """Sum squares of ``step`` x ``step`` cells; cells beyond the end count as 0."""
    padded = np.pad(values, [(0, -n % step) for n in values.shape])
    rows, cols = padded.shape
    summed: Float32 = padded.reshape(rows // step, step, cols // step, step).sum(axis=(1, 3))
    return summed


def draw_arrows(image: UInt8, arrows: Float32) -> UInt8:
    """Draw arrows with smooth edges; returns a new image.

    Parameters
    ----------
    image : uint8 (height, width, 3)
    arrows : float32 (n, 4)
        Tail and head ``y x y x`` in pixels of the image.
    """
    height, width = image.shape[:2]
    layer = Image.new("RGBA", (width * _FINER, height * _FINER), (*DARK, 0))
    pen = ImageDraw.Draw(layer)
    thick = _FINER * max(1.5, 0.45 * line_width(height, width))
    # All rims first: a later arrow must not cut through an earlier one.
    for colour, rim in ((DARK, 0.8 * _FINER), (ARROW, 0.0)):
        for tail_y, tail_x, y, x in (_FINER * (arrows + 0.5)).tolist():
            if math.hypot(y - tail_y, x - tail_x) < thick:  # too short for a head: a dot
                radius = 0.7 * thick + rim
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, 255))
            else:
                pen.polygon(arrow_outline((tail_y, tail_x, y, x), thick, rim), fill=(*colour, 255))
    base = Image.fromarray(image)
    small = layer.resize((width, height), Image.Resampling.BOX)
    base.paste(small, mask=small)
    return np.asarray(base).copy()


def arrow_outline(arrow: Sequence[float], thick: float, rim: float) -> list[tuple[float, float]]:
    """Return the corners (x, y) of an arrow ``y x y x`` with a shaft ``thick`` wide, widened by ``rim`` on all sides."""
    y0, x0, y1, x1 = arrow
    length = math.hypot(y1 - y0, x1 - x0)
    head = min(length, 3.5 * thick)
    uy, ux = (y1 - y0) / length, (x1 - x0) / length
    # Along the arrow, and across it: tail, neck, barbs, tip. The tip needs more rim than a side to look as wide.
    shaft, barb = thick / 2 + rim, 0.45 * head + 1.4 * rim
    neck, tip = length - head - rim, length + 1.8 * rim
    half = [(-rim, shaft), (neck, shaft), (neck, barb), (tip, 0.0)]
    outline = half + [(along, -across) for along, across in reversed(half[:-1])]
    return [(x0 + ux * along - uy * across, y0 + uy * along + ux * across) for along, across in outline]
