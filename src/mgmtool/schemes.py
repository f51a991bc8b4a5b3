"""Public path of :mod:`mgmtool.training.masker`."""

from mgmtool.training.masker import *  # noqa: F403
from mgmtool.training.masker import __all__  # noqa: F401
