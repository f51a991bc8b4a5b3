"""A sheet of strips: the same frames several times, one strip below the other, each with its label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mgmtool.drawing.overlay import resize
from mgmtool.drawing.sheet import Caption, write_marks
from mgmtool.drawing.style import GAP, INK, LINE, PALE, PAPER, SHEET_WIDTH, Colour
from mgmtool.types import UInt8

MOST_IN_A_ROW = 8
_HIGHEST = 420


@dataclass(frozen=True, slots=True)
class StripPlan:
    """How strips fill a sheet.

    Attributes
    ----------
    columns : int
        Frames side by side; longer strips continue below.
    height, width : int
        Size of each frame on the sheet, in pixels.
    size : int
        Font size.
    """

    columns: int
    height: int
    width: int
    size: int

    @property
    def sheet_width(self) -> int:
        """Width of the sheet in pixels."""
        return self.columns * (self.width + GAP) + GAP

    @property
    def lefts(self) -> list[int]:
        """First pixel of each column."""
        return [GAP + column * (self.width + GAP) for column in range(self.columns)]

    def blank(self, height: int) -> UInt8:
        """Return an empty band across the sheet: uint8 (height, sheet_width, 3)."""
        return np.full((height, self.sheet_width, 3), PAPER, np.uint8)

    def line(self, parts: Sequence[tuple[str, Colour]]) -> UInt8:
        """Write texts after each other into a band one line high, each in its colour."""
        band = Image.fromarray(self.blank(round(LINE * self.size)))
        pen, font, left = ImageDraw.Draw(band), ImageFont.load_default(self.size), float(GAP)
        for text, colour in parts:
            pen.text((left, 0), text, colour, font)
            left += font.getlength(text) + self.size
        return np.asarray(band)

    def heads(self, texts: Sequence[str]) -> UInt8:
        """Write a small text above each column into a band one line high."""
        band = Image.fromarray(self.blank(round(LINE * self.size)))
        pen = ImageDraw.Draw(band)
        for left, text in zip(self.lefts, texts, strict=False):
            pen.text((left, 0), text, PALE, ImageFont.load_default(round(0.85 * self.size)))
        return np.asarray(band)


@dataclass(frozen=True, slots=True)
class Strip:
    """Frames in a row, and the text above and below them.

    Attributes
    ----------
    label : str
        What the frames show.
    frames : sequence of uint8 (height, width, 3)
        All of one size.
    remark : str
        More about them, in paler letters after the label.
    captions : sequence of Caption
        Marks below each frame; their text is left out, since it stands above the first strip. Empty for no marks at all.
    """

    label: str
    frames: Sequence[UInt8]
    remark: str = ""
    captions: Sequence[Caption] = ()

    def bands(self, chosen: slice, plan: StripPlan) -> Iterator[UInt8]:
        """Yield the bands of some of the frames: label, frames, marks if there are any, and a gap."""
        if self.label:
            yield plan.line([(self.label, INK), (self.remark, PALE)])
        yield plan.blank(4)
        band = Image.fromarray(plan.blank(plan.height))
        for left, frame in zip(plan.lefts, self.frames[chosen], strict=False):
            band.paste(Image.fromarray(np.ascontiguousarray(resize(frame, plan.height, plan.width))), (left, 0))
        yield np.asarray(band)
        lines = max((len(words.marks) for words in self.captions[chosen]), default=0)
        if lines:
            marks = Image.fromarray(plan.blank(round(lines * LINE * plan.size)))
            pen = ImageDraw.Draw(marks)
            for left, words in zip(plan.lefts, self.captions[chosen], strict=False):
                write_marks(pen, words, (left, 0), plan.size)
            yield np.asarray(marks)
        yield plan.blank(GAP)


def plan_strips(
    count: int, height: int, width: int, max_side: int | None = None, sheet_width: int = SHEET_WIDTH
) -> StripPlan:
    """Plan strips of ``count`` frames of one size, at most 8 in a row, on a sheet of about ``sheet_width`` pixels.

    Parameters
    ----------
    count : int
        Frames of a strip, at least 1.
    height, width : int
        Their size before they are put on the sheet, in pixels.
    max_side : int, optional
        Longest side of a frame on the sheet, if that makes it smaller.
    sheet_width : int
        Width of the sheet in pixels, unless frames would be too high for it.
    """
    columns = min(count, MOST_IN_A_ROW)
    room = max(1, (sheet_width - GAP) // columns - GAP)
    scale = min(room / width, _HIGHEST / height, (max_side or sheet_width) / max(height, width))
    shown_height, shown_width = max(1, round(height * scale)), max(1, round(width * scale))
    return StripPlan(columns, shown_height, shown_width, min(20, max(11, shown_width // 16)))


def strip_sheet(strips: Sequence[Strip], heads: Sequence[str], plan: StripPlan, title: str = "") -> UInt8:
    """Lay strips out below each other.

    Parameters
    ----------
    strips : sequence of Strip
        At least one; all with the same number of frames.
    heads : sequence of str
        The text above each column, one for each frame.
    plan : StripPlan
        See :func:`plan_strips`.
    title : str
        A line above everything; none by default.

    Returns
    -------
    uint8 (sheet_height, sheet_width, 3)
    """
    bands = [plan.blank(GAP)]
    if title:
        bands += [plan.line([(title, INK)]), plan.blank(GAP // 2)]
    for start in range(0, len(heads), plan.columns):
        chosen = slice(start, start + plan.columns)
        bands.append(plan.heads(heads[chosen]))
        bands += [band for strip in strips for band in strip.bands(chosen, plan)]
    return np.concatenate(bands)
