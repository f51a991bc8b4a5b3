"""A sheet of strips: the same frames several times, one strip below the other, each with its label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mgmtool.drawing.overlay import Colour, resize
from mgmtool.drawing.sheet import GAP, INK, LINE, PAPER, WIDTH, Caption, write_marks
from mgmtool.types import UInt8

MOST_IN_A_ROW = 8
PALE = (112, 116, 126)
_HIGHEST = 420


@dataclass(frozen=True, slots=True)
class Strip:
    """Pictures in a row, with what stands above them.

    Attributes
    ----------
    label : str
        What the pictures show.
    pictures : sequence of uint8 (height, width, 3)
        One for each frame.
    remark : str
        More about them, in paler letters behind the label.
    captions : sequence of Caption
        Marks below each picture; their text is not written, it stands above the first strip. None for no marks at all.
    """

    label: str
    pictures: Sequence[UInt8]
    remark: str = ""
    captions: Sequence[Caption] = ()


@dataclass(frozen=True, slots=True)
class StripPlan:
    """How strips fill a sheet.

    Attributes
    ----------
    columns : int
        Pictures side by side; strips with more go on below.
    height, width : int
        Size of each on the sheet, in pixels.
    size : int
        Of the letters.
    """

    columns: int
    height: int
    width: int
    size: int

    @property
    def sheet_width(self) -> int:
        """Pixels of the sheet from side to side."""
        return self.columns * (self.width + GAP) + GAP


def plan_strips(
    count: int, height: int, width: int, max_side: int | None = None, sheet_width: int = WIDTH
) -> StripPlan:
    """Plan strips of ``count`` pictures of one size, at most 8 in a row, on a sheet of about ``sheet_width`` pixels.

    Parameters
    ----------
    count : int
        Pictures of a strip, at least 1.
    height, width : int
        Their size before they are put on the sheet, in pixels.
    max_side : int, optional
        Longest side of a picture on the sheet, where that makes them smaller.
    sheet_width : int
        Pixels from side to side, where pictures are not too high for it.
    """
    columns = min(count, MOST_IN_A_ROW)
    room = max(1, (sheet_width - GAP) // columns - GAP)
    scale = min(room / width, _HIGHEST / height, (max_side or sheet_width) / max(height, width))
    shown_height, shown_width = max(1, round(height * scale)), max(1, round(width * scale))
    return StripPlan(columns, shown_height, shown_width, min(20, max(11, shown_width // 16)))


def strip_sheet(strips: Sequence[Strip], times: Sequence[str], plan: StripPlan, title: str = "") -> UInt8:
    """Lay strips out below each other.

    Parameters
    ----------
    strips : sequence of Strip
        At least one; all of as many pictures.
    times : sequence of str
        What is written above each column.
    plan : StripPlan
        See :func:`plan_strips`.
    title : str
        A line above everything; none by default.

    Returns
    -------
    uint8 (sheet_height, sheet_width, 3)
    """
    rows = [_blank(plan, GAP)]
    if title:
        rows += [_line(plan, [(title, INK)]), _blank(plan, GAP // 2)]
    for start in range(0, len(times), plan.columns):
        chosen = slice(start, start + plan.columns)
        rows.append(_columns(plan, times[chosen]))
        rows += [row for strip in strips for row in _strip(strip, chosen, plan)]
    return np.concatenate(rows)


def _strip(strip: Strip, chosen: slice, plan: StripPlan) -> Iterator[UInt8]:
    """Label, pictures, marks where there are any, and a gap."""
    if strip.label:
        yield _line(plan, [(strip.label, INK), (strip.remark, PALE)])
    yield _blank(plan, 4)
    row = Image.fromarray(_blank(plan, plan.height))
    for left, picture in zip(_lefts(plan), strip.pictures[chosen], strict=False):
        row.paste(Image.fromarray(np.ascontiguousarray(resize(picture, plan.height, plan.width))), (left, 0))
    yield np.asarray(row)
    lines = max((len(words.marks) for words in strip.captions[chosen]), default=0)
    if lines:
        yield _marks(strip.captions[chosen], lines, plan)
    yield _blank(plan, GAP)


def _marks(captions: Sequence[Caption], lines: int, plan: StripPlan) -> UInt8:
    row = Image.fromarray(_blank(plan, round(lines * LINE * plan.size)))
    pen = ImageDraw.Draw(row)
    for left, words in zip(_lefts(plan), captions, strict=False):
        write_marks(pen, words, (left, 0), plan.size)
    return np.asarray(row)


def _columns(plan: StripPlan, texts: Sequence[str]) -> UInt8:
    """Write a small line above each column."""
    row = Image.fromarray(_blank(plan, round(LINE * plan.size)))
    pen = ImageDraw.Draw(row)
    for left, text in zip(_lefts(plan), texts, strict=False):
        pen.text((left, 0), text, PALE, ImageFont.load_default(round(0.85 * plan.size)))
    return np.asarray(row)


def _line(plan: StripPlan, parts: Sequence[tuple[str, Colour]]) -> UInt8:
    """Write texts behind each other, each in its colour."""
    row = Image.fromarray(_blank(plan, round(LINE * plan.size)))
    pen, font, left = ImageDraw.Draw(row), ImageFont.load_default(plan.size), float(GAP)
    for text, colour in parts:
        pen.text((left, 0), text, colour, font)
        left += font.getlength(text) + plan.size
    return np.asarray(row)


def _blank(plan: StripPlan, height: int) -> UInt8:
    return np.full((height, plan.sheet_width, 3), PAPER, np.uint8)


def _lefts(plan: StripPlan) -> list[int]:
    return [GAP + column * (plan.width + GAP) for column in range(plan.columns)]
