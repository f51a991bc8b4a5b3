"""A video and its masks, as something to look at: a film, an animation, or a contact sheet; of one scheme, or of several."""

from __future__ import annotations

from mgmtool.render import Layers
from mgmtool.visualize.comparison import compare
from mgmtool.visualize.contenders import Contender, read_contenders
from mgmtool.visualize.outputs import check_output
from mgmtool.visualize.single import visualize

__all__ = ["Contender", "Layers", "check_output", "compare", "read_contenders", "visualize"]
