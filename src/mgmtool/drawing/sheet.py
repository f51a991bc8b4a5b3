"""A contact sheet: pictures in rows, each with a caption."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mgmtool.drawing.overlay import Colour, resize
from mgmtool.types import FrameFlag, UInt8

PAPER: Colour = (250, 250, 248)
INK: Colour = (28, 30, 36)
MARKS: dict[FrameFlag, tuple[str, Colour]] = {
    FrameFlag.FALLBACK: ("nothing moves: centre box", (176, 112, 0)),
    FrameFlag.PROPAGATED: ("no motion of its own", (70, 100, 160)),
    FrameFlag.SCENE_CUT: ("scene cut", (150, 50, 160)),
    FrameFlag.CORRUPT: ("damaged", (200, 30, 40)),
}
"""What a caption says about a frame beyond its number, in the order it is said."""

WIDTH = 1600
_HIGHEST = 900
_CAPTION_WIDTH = 190
GAP = 12
_MOST_COLUMNS = 8
_PROPORTION = 1.5
LINE = 1.35
"""Height of a line of text, in sizes of its letters."""


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands under a picture.

    Attributes
    ----------
    text : str
        The first line.
    marks : tuple of (str, colour)
        Small remarks, one a line, each behind a dot of its colour.
    """

    text: str
    marks: tuple[tuple[str, Colour], ...] = ()


def caption(index: int, seconds: float, flags: int) -> Caption:
    """Caption of a frame: number, time since the first frame, and a mark for every flag worth one.

    Parameters
    ----------
    index : int
        Frame index.
    seconds : float
        Since the first frame.
    flags : int
        Bits of :class:`~mgmtool.types.FrameFlag`. That nothing moves says all about a frame without motion of its own.
    """
    known = FrameFlag(flags)
    if known & FrameFlag.FALLBACK:
        known &= ~FrameFlag.PROPAGATED
    marks = tuple(mark for flag, mark in MARKS.items() if known & flag)
    return Caption(f"frame {index} · {seconds:.2f} s", marks)


@dataclass(frozen=True, slots=True)
class SheetPlan:
    """How pictures of one size fill a sheet.

    Attributes
    ----------
    columns : int
        Pictures side by side.
    height, width : int
        Size of each on the sheet, in pixels.
    cell_width : int
        Room from one picture to the next, gap excluded; more than ``width`` where a caption needs it.
    """

    columns: int
    height: int
    width: int
    cell_width: int


def plan_sheet(
    count: int, height: int, width: int, columns: int | None = None, max_side: int | None = None
) -> SheetPlan:
    """Plan a sheet about 1600 pixels wide.

    Parameters
    ----------
    count : int
        Number of pictures, at least 1.
    height, width : int
        Their size before they are put on the sheet, in pixels.
    columns : int, optional
        Pictures side by side; by default as many as make the sheet half as wide again as it is high, at most 8.
    max_side : int, optional
        Longest side of a picture on the sheet, where that makes them smaller.
    """
    if columns is None:
        columns = min(_MOST_COLUMNS, max(1, round(math.sqrt(count * height / width * _PROPORTION))))
    columns = min(columns, count)
    cell_width = max(1, (WIDTH - GAP) // columns - GAP)
    scale = min(cell_width / width, _HIGHEST / height, (max_side or WIDTH) / max(height, width))
    shown_height, shown_width = max(1, round(height * scale)), max(1, round(width * scale))
    return SheetPlan(columns, shown_height, shown_width, min(cell_width, max(shown_width, _CAPTION_WIDTH)))


def contact_sheet(
    pictures: Sequence[UInt8],
    captions: Sequence[Caption],
    columns: int | None = None,
    title: str = "",
    max_side: int | None = None,
) -> UInt8:
    """Lay pictures out row by row, each with its caption below.

    Parameters
    ----------
    pictures : sequence of uint8 (height, width, 3)
        At least one. Resampled to the size :func:`plan_sheet` gives for the first; draw at that size for the sharpest lines.
    captions : sequence of Caption
        One for each picture.
    columns, max_side : int, optional
        See :func:`plan_sheet`.
    title : str
        A line above all pictures; none by default.

    Returns
    -------
    uint8 (sheet_height, sheet_width, 3)
    """
    height, width = pictures[0].shape[:2]
    plan = plan_sheet(len(pictures), height, width, columns, max_side)
    size = min(22, max(12, plan.cell_width // 18))
    tops = _row_tops(plan, captions, size, first=GAP + (2 * size if title else 0))
    sheet = Image.new("RGB", (plan.columns * (plan.cell_width + GAP) + GAP, tops[-1]), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP), title, INK, ImageFont.load_default(size))
    for number, (picture, words) in enumerate(zip(pictures, captions, strict=True)):
        row, column = divmod(number, plan.columns)
        left, top = GAP + column * (plan.cell_width + GAP), tops[row]
        thumb = Image.fromarray(np.ascontiguousarray(resize(picture, plan.height, plan.width)))
        sheet.paste(thumb, (left + (plan.cell_width - plan.width) // 2, top))
        _write(pen, words, (left, top + plan.height), size)
    return np.asarray(sheet).copy()


def _row_tops(plan: SheetPlan, captions: Sequence[Caption], size: int, first: int) -> list[int]:
    """Top of every row of pictures, and the height of the sheet; a row is as high as its longest caption."""
    tops = [first]
    for start in range(0, len(captions), plan.columns):
        lines = 1 + max(len(c.marks) for c in captions[start : start + plan.columns])
        tops.append(tops[-1] + plan.height + lines * round(LINE * size) + GAP)
    return tops


def _write(pen: ImageDraw.ImageDraw, words: Caption, corner: tuple[int, int], size: int) -> None:
    """Write a caption below its picture."""
    left, top = corner
    pen.text((left, top + 3), words.text, INK, ImageFont.load_default(size))
    write_marks(pen, words, (left, top + round(LINE * size)), size)


def write_marks(pen: ImageDraw.ImageDraw, words: Caption, corner: tuple[int, int], size: int) -> None:
    """Write the marks of a caption, one a line, each behind its dot; ``size`` is that of the caption's first line."""
    left, top = corner
    small = round(0.85 * size)
    radius = small * 0.28
    for text, colour in words.marks:
        middle = top + 3 + 0.62 * small
        pen.ellipse((left, middle - radius, left + 2 * radius, middle + radius), fill=colour)
        pen.text((left + 3.2 * radius, top + 3), text, colour, ImageFont.load_default(small))
        top += round(LINE * size)
