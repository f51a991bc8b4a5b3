"""Draw masks on frames: a film, an animation or a contact sheet, of one scheme or of several side by side.

The bottom half is pure, arrays in and arrays out, no files: ``overlay`` draws mask, energy, arrows and box on one frame,
``sheet`` lays frames out with captions, ``strips`` the same frames several times, ``panels`` one moment several times.
"""

from __future__ import annotations

from mgmtool.drawing.comparison import compare
from mgmtool.drawing.contenders import read_contenders
from mgmtool.drawing.outputs import check_output
from mgmtool.drawing.overlay import Layers, arrows_of, fitted, overlay, resize
from mgmtool.drawing.panels import Panels
from mgmtool.drawing.sheet import Caption, SheetPlan, caption, contact_sheet, plan_sheet
from mgmtool.drawing.single import visualize
from mgmtool.drawing.strips import Strip, StripPlan, plan_strips, strip_sheet
from mgmtool.extraction.contender import Contender

__all__ = [
    "Caption",
    "Contender",
    "Layers",
    "Panels",
    "SheetPlan",
    "Strip",
    "StripPlan",
    "arrows_of",
    "caption",
    "check_output",
    "compare",
    "contact_sheet",
    "fitted",
    "overlay",
    "plan_sheet",
    "plan_strips",
    "read_contenders",
    "resize",
    "strip_sheet",
    "visualize",
]
