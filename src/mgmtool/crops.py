"""Public path of :mod:`mgmtool.training.crops`."""

from mgmtool.training.crops import *  # noqa: F403
from mgmtool.training.crops import __all__  # noqa: F401
