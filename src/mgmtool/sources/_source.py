"""Former path of :mod:`mgmtool.sources.base`, kept for plug-ins that import it."""

from mgmtool.sources.base import *  # noqa: F403
