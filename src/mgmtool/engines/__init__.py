"""Who runs the work: each file is an engine, see :mod:`mgmtool.plugins`. All give results in the order of the items.

:mod:`mgmtool.engines.base` has what an engine offers.
"""

from __future__ import annotations

from mgmtool import plugins
from mgmtool.engines._machine import Limits, available_cpus, limits, return_frames_to_the_system
from mgmtool.engines.base import Cluster, Engine

__all__ = [
    "ENGINES",
    "Cluster",
    "Engine",
    "Limits",
    "available_cpus",
    "build",
    "limits",
    "names",
    "return_frames_to_the_system",
]


ENGINES: plugins.Family[Engine] = plugins.ENGINES

names = ENGINES.names
build = ENGINES.build
