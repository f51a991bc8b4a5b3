"""Colours, distances and line widths that all drawings share."""

from __future__ import annotations

Colour = tuple[int, int, int]

BRIGHT: Colour = (90, 255, 220)
DARK: Colour = (8, 10, 14)

PAPER: Colour = (250, 250, 248)
INK: Colour = (28, 30, 36)
PALE: Colour = (112, 116, 126)

SHEET_WIDTH = 1600
GAP = 12
LINE = 1.35
"""Height of a line of text, in font sizes."""


def line_width(height: int, width: int) -> int:
    """Return the width of lines that read well on an image of this size, in pixels."""
    return max(2, round(min(height, width) / 150))
