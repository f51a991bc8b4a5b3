"""Public path of :mod:`mgmtool.training.tf`."""

from mgmtool.training.tf import *  # noqa: F403
from mgmtool.training.tf import __all__  # noqa: F401
