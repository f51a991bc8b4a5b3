"""Public path of :mod:`mgmtool.training.adapters`."""

from mgmtool.training.adapters import *  # noqa: F403
from mgmtool.training.adapters import __all__  # noqa: F401
