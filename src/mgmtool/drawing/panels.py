"""Panels: the same frame drawn several times side by side, each with its label above, for videos and animations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mgmtool.drawing.style import INK, LINE, PAPER
from mgmtool.types import UInt8

_GAP = 6
_PROPORTION = 2.0


@dataclass(frozen=True, slots=True)
class Panels:
    """An image with room for several frames, and their labels already in place.

    Attributes
    ----------
    height, width : int
        Size of a panel, in pixels.
    corners : tuple of (int, int)
        Top left pixel (y, x) of each panel.
    empty : uint8 (image_height, image_width, 3)
        The image without frames.
    """

    height: int
    width: int
    corners: tuple[tuple[int, int], ...]
    empty: UInt8

    @classmethod
    def of(cls, labels: Sequence[str], height: int, width: int, panel_side: int | None, whole_side: int) -> Panels:
        """Plan panels that make an image about twice as wide as it is high.

        Parameters
        ----------
        labels : sequence of str
            One for each panel.
        height, width : int
            Size of the video; panels are never larger.
        panel_side : int or None
            Longest side of a panel; by default whatever makes the image at most ``whole_side`` wide.
        whole_side : int
            Width of the image where ``panel_side`` is not given.
        """
        count = len(labels)
        columns = min(
            range(1, count + 1),
            key=lambda n: abs(math.log(n * width / (math.ceil(count / n) * height) / _PROPORTION)),
        )
        room = (whole_side - _GAP) / columns - _GAP
        scale = min(1.0, panel_side / max(height, width) if panel_side else room / width)
        shown = max(1, round(height * scale)), max(1, round(width * scale))
        size = min(22, max(11, shown[1] // 18))
        bar = round(LINE * size)
        down, right = shown[0] + bar + _GAP, shown[1] + _GAP
        places = [divmod(number, columns) for number in range(count)]
        corners = tuple((_GAP + row * down + bar, _GAP + column * right) for row, column in places)
        canvas = Image.new("RGB", (_GAP + columns * right, _GAP + math.ceil(count / columns) * down), PAPER)
        for text, (top, left) in zip(labels, corners, strict=True):
            # An image of its own cuts off what does not fit, so that no label reaches the next panel.
            label = Image.new("RGB", (shown[1], bar), PAPER)
            ImageDraw.Draw(label).text((0, 0), text, INK, ImageFont.load_default(size))
            canvas.paste(label, (left, top - bar))
        return cls(*shown, corners, np.asarray(canvas))

    @classmethod
    def alone(cls, height: int, width: int) -> Panels:
        """Plan a single panel without a label or a margin."""
        return cls(height, width, ((0, 0),), np.zeros((height, width, 3), np.uint8))

    def filled(self, frames: Sequence[UInt8]) -> UInt8:
        """Put one frame into each panel; every frame has the size of a panel."""
        canvas = self.empty.copy()
        for frame, (top, left) in zip(frames, self.corners, strict=True):
            canvas[top : top + self.height, left : left + self.width] = frame
        return canvas
