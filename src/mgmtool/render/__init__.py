"""What is drawn, as pure functions: arrays in, arrays out, no files.

``overlay`` draws mask, energy, arrows and box on one picture; ``sheet`` lays pictures out with captions; ``strips`` lays out the
same frames several times, ``panels`` one moment several times.
"""

from __future__ import annotations

from mgmtool.render.overlay import Layers, arrows_of, fitted, overlay, resize
from mgmtool.render.panels import Panels
from mgmtool.render.sheet import Caption, SheetPlan, caption, contact_sheet, plan_sheet
from mgmtool.render.strips import Strip, StripPlan, plan_strips, strip_sheet

__all__ = [
    "Caption",
    "Layers",
    "Panels",
    "SheetPlan",
    "Strip",
    "StripPlan",
    "arrows_of",
    "caption",
    "contact_sheet",
    "fitted",
    "overlay",
    "plan_sheet",
    "plan_strips",
    "resize",
    "strip_sheet",
]
