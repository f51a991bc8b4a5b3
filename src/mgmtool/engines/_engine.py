"""Former path of :mod:`mgmtool.engines.base`, kept for plug-ins that import it."""

from mgmtool.engines.base import *  # noqa: F403
