"""Public path of :mod:`mgmtool.training.grain`."""

from mgmtool.training.grain import *  # noqa: F403
from mgmtool.training.grain import __all__  # noqa: F401
