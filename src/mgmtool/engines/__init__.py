"""Who runs the work: each file is an engine, see :mod:`mgmtool.plugins`. All give results in the order of the items.

:mod:`mgmtool.engines.base` has what an engine offers.
"""

from __future__ import annotations

from mgmtool import plugins
from mgmtool.engines._cpus import available_cpus
from mgmtool.engines._limits import Limits, limits
from mgmtool.engines._memory import return_pictures_to_the_system
from mgmtool.engines.base import Engine

__all__ = ["ENGINES", "Engine", "Limits", "available_cpus", "build", "limits", "names", "return_pictures_to_the_system"]


ENGINES: plugins.Family[Engine] = plugins.ENGINES

names = ENGINES.names
build = ENGINES.build
