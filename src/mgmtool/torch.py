"""Public path of :mod:`mgmtool.training.torch`."""

from mgmtool.training.torch import *  # noqa: F403
from mgmtool.training.torch import __all__  # noqa: F401
