"""Panels: several pictures of one moment side by side, each below its label, for films."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mgmtool.drawing.sheet import INK, LINE, PAPER
from mgmtool.types import UInt8

_GAP = 6
_PROPORTION = 2.0


@dataclass(frozen=True, slots=True)
class Panels:
    """A picture with the labels in place, and room for what they label.

    Attributes
    ----------
    height, width : int
        Size of a panel, in pixels.
    corners : tuple of (int, int)
        Top left pixel (y, x) of each panel.
    empty : uint8 (sheet_height, sheet_width, 3)
        Labels on paper.
    """

    height: int
    width: int
    corners: tuple[tuple[int, int], ...]
    empty: UInt8

    @classmethod
    def of(cls, labels: Sequence[str], height: int, width: int, panel_side: int | None, whole_side: int) -> Panels:
        """Plan panels that make a film about twice as wide as it is high.

        Parameters
        ----------
        labels : sequence of str
            One for each panel.
        height, width : int
            Size of the video; panels are never larger.
        panel_side : int or None
            Longest side of a panel; by default whatever makes the film ``whole_side`` wide at most.
        whole_side : int
            Width of the film where ``panel_side`` is not given.
        """
        columns = _columns(len(labels), height, width)
        room = (whole_side - _GAP) / columns - _GAP
        scale = min(1.0, panel_side / max(height, width) if panel_side else room / width)
        shown = max(1, round(height * scale)), max(1, round(width * scale))
        size = min(22, max(11, shown[1] // 18))
        bar = round(LINE * size)
        down, right = shown[0] + bar + _GAP, shown[1] + _GAP
        places = [divmod(number, columns) for number in range(len(labels))]
        corners = tuple((_GAP + row * down + bar, _GAP + column * right) for row, column in places)
        canvas = Image.new("RGB", (_GAP + columns * right, _GAP + math.ceil(len(labels) / columns) * down), PAPER)
        for label, (top, left) in zip(labels, corners, strict=True):
            canvas.paste(_bar(label, bar, shown[1], size), (left, top - bar))
        return cls(*shown, corners, np.asarray(canvas))

    def filled(self, pictures: Sequence[UInt8]) -> UInt8:
        """Put one picture into each panel; all have the size of a panel."""
        canvas = self.empty.copy()
        for picture, (top, left) in zip(pictures, self.corners, strict=True):
            canvas[top : top + self.height, left : left + self.width] = picture
        return canvas


def _bar(label: str, height: int, width: int, size: int) -> Image.Image:
    """Write a label; what does not fit over its panel is cut off, not written over the next one."""
    bar = Image.new("RGB", (width, height), PAPER)
    ImageDraw.Draw(bar).text((0, 0), label, INK, ImageFont.load_default(size))
    return bar


def _columns(count: int, height: int, width: int) -> int:
    """How many panels side by side come nearest to the proportion."""

    def off(columns: int) -> float:
        return abs(math.log(columns * width / (math.ceil(count / columns) * height) / _PROPORTION))

    return min(range(1, count + 1), key=off)
