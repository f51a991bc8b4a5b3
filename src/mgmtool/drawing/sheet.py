"""A contact sheet: frames in rows, each with a caption."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mgmtool.drawing.overlay import resize
from mgmtool.drawing.style import GAP, INK, LINE, PAPER, SHEET_WIDTH, Colour
from mgmtool.types import FrameFlag, UInt8

MARKS: dict[FrameFlag, tuple[str, Colour]] = {
    FrameFlag.FALLBACK: ("nothing moves: centre box", (176, 112, 0)),
    FrameFlag.PROPAGATED: ("no motion of its own", (70, 100, 160)),
    FrameFlag.SCENE_CUT: ("scene cut", (150, 50, 160)),
    FrameFlag.CORRUPT: ("damaged", (200, 30, 40)),
}
"""What a caption says about a frame beyond its number, in this order."""

_HIGHEST = 900
_CAPTION_WIDTH = 190
_MOST_COLUMNS = 8
_PROPORTION = 1.5


@dataclass(frozen=True, slots=True)
class Caption:
    """The text below a frame.

    Attributes
    ----------
    text : str
        The first line.
    marks : tuple of (str, colour)
        Small remarks, one per line, each behind a dot of its colour.
    """

    text: str
    marks: tuple[tuple[str, Colour], ...] = ()


def caption(index: int, seconds: float, flags: int) -> Caption:
    """Caption a frame with its number, its time, and a mark for every flag worth one.

    Parameters
    ----------
    index : int
        Frame index.
    seconds : float
        Time since the first frame.
    flags : int
        Bits of :class:`~mgmtool.types.FrameFlag`. A fallback frame gets no mark for having no motion of its own: its own mark
        says so already.
    """
    known = FrameFlag(flags)
    if known & FrameFlag.FALLBACK:
        known &= ~FrameFlag.PROPAGATED
    marks = tuple(mark for flag, mark in MARKS.items() if known & flag)
    return Caption(f"frame {index} · {seconds:.2f} s", marks)


@dataclass(frozen=True, slots=True)
class SheetPlan:
    """How frames of one size fill a sheet.

    Attributes
    ----------
    columns : int
        Frames side by side.
    height, width : int
        Size of each frame on the sheet, in pixels.
    cell_width : int
        Pixels from one frame to the next, gap excluded; more than ``width`` where a caption needs it.
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
        Number of frames, at least 1.
    height, width : int
        Their size before they are put on the sheet, in pixels.
    columns : int, optional
        Frames side by side; by default as many as make the sheet 1.5 times as wide as it is high, at most 8.
    max_side : int, optional
        Longest side of a frame on the sheet, if that makes it smaller.
    """
    if columns is None:
        columns = min(_MOST_COLUMNS, max(1, round(math.sqrt(count * height / width * _PROPORTION))))
    columns = min(columns, count)
    cell_width = max(1, (SHEET_WIDTH - GAP) // columns - GAP)
    scale = min(cell_width / width, _HIGHEST / height, (max_side or SHEET_WIDTH) / max(height, width))
    shown_height, shown_width = max(1, round(height * scale)), max(1, round(width * scale))
    return SheetPlan(columns, shown_height, shown_width, min(cell_width, max(shown_width, _CAPTION_WIDTH)))


def contact_sheet(
    frames: Sequence[UInt8],
    captions: Sequence[Caption],
    columns: int | None = None,
    title: str = "",
    max_side: int | None = None,
) -> UInt8:
    """Lay frames out row by row, each with its caption below.

    Parameters
    ----------
    frames : sequence of uint8 (height, width, 3)
        At least one. Resampled to the size that :func:`plan_sheet` gives for the first; draw at that size for sharp lines.
    captions : sequence of Caption
        One for each frame.
    columns, max_side : int, optional
        See :func:`plan_sheet`.
    title : str
        A line above all frames; none by default.

    Returns
    -------
    uint8 (sheet_height, sheet_width, 3)
    """
    height, width = frames[0].shape[:2]
    plan = plan_sheet(len(frames), height, width, columns, max_side)
    size = min(22, max(12, plan.cell_width // 18))
    line = round(LINE * size)
    tops = [GAP + (2 * size if title else 0)]
    for start in range(0, len(captions), plan.columns):  # a row is as high as its longest caption
        lines = 1 + max(len(words.marks) for words in captions[start : start + plan.columns])
        tops.append(tops[-1] + plan.height + lines * line + GAP)
    sheet = Image.new("RGB", (plan.columns * (plan.cell_width + GAP) + GAP, tops[-1]), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP), title, INK, ImageFont.load_default(size))
    for number, (frame, words) in enumerate(zip(frames, captions, strict=True)):
        row, column = divmod(number, plan.columns)
        left, top = GAP + column * (plan.cell_width + GAP), tops[row]
        thumb = Image.fromarray(np.ascontiguousarray(resize(frame, plan.height, plan.width)))
        sheet.paste(thumb, (left + (plan.cell_width - plan.width) // 2, top))
        below = top + plan.height
        pen.text((left, below + 3), words.text, INK, ImageFont.load_default(size))
        write_marks(pen, words, (left, below + line), size)
    return np.asarray(sheet).copy()


def write_marks(pen: ImageDraw.ImageDraw, words: Caption, corner: tuple[int, int], size: int) -> None:
    """Write the marks of a caption, one per line, each behind its dot.

    Parameters
    ----------
    pen : ImageDraw
        Draws on the sheet.
    words : Caption
        Its marks are written, its text is not.
    corner : (int, int)
        Left and top of the first mark, in pixels of the sheet.
    size : int
        Font size of the caption's text; marks are a little smaller.
    """
    left, top = corner
    small = round(0.85 * size)
    radius = small * 0.28
    for text, colour in words.marks:
        middle = top + 3 + 0.62 * small
        pen.ellipse((left, middle - radius, left + 2 * radius, middle + radius), fill=colour)
        pen.text((left + 3.2 * radius, top + 3), text, colour, ImageFont.load_default(small))
        top += round(LINE * size)
