"""What is drawn, as pure functions: arrays in, arrays out, no files.

``overlay`` draws mask, energy, arrows and box on one picture; ``sheet`` lays pictures out with captions.
"""

from __future__ import annotations

from mgmtool.render.overlay import Layers, arrows_of, fitted, overlay, resize
from mgmtool.render.sheet import Caption, SheetPlan, caption, contact_sheet, plan_sheet

__all__ = [
    "Caption",
    "Layers",
    "SheetPlan",
    "arrows_of",
    "caption",
    "contact_sheet",
    "fitted",
    "overlay",
    "plan_sheet",
    "resize",
]
