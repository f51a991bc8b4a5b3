"""Former path of :mod:`mgmtool.masking.base`, kept for plug-ins that import it."""

from mgmtool.masking.base import *  # noqa: F403
