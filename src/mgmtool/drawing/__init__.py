"""Draw masks on frames, as a video, an animation or a sheet; of one scheme, or of several side by side.

The layers from bottom to top: ``overlay`` and ``arrows`` draw on one frame; ``painter`` draws the masks of a scheme; ``sheet``,
``strips`` and ``panels`` lay frames out; ``scene`` takes the frames of a video through all of these to a file. Except for
``footage``, ``outputs`` and ``scene``, they take and return arrays and touch no files.
"""

from __future__ import annotations

from mgmtool.drawing.arrows import arrows_of
from mgmtool.drawing.contenders import Contender, read_contenders
from mgmtool.drawing.draw import compare, visualize
from mgmtool.drawing.outputs import check_output, webp_bytes
from mgmtool.drawing.overlay import Layers, fitted, overlay, resize
from mgmtool.drawing.painter import MaskPainter
from mgmtool.drawing.panels import Panels
from mgmtool.drawing.sheet import Caption, SheetPlan, caption, contact_sheet, plan_sheet
from mgmtool.drawing.strips import Strip, StripPlan, plan_strips, strip_sheet

__all__ = [
    "Caption",
    "Contender",
    "Layers",
    "MaskPainter",
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
    "webp_bytes",
]
