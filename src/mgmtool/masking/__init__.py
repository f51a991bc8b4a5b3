"""What to hide: each file is a mask scheme, see :mod:`mgmtool.plugins`.

:mod:`mgmtool.masking.base` has what a scheme offers and what it may build on.
"""

from __future__ import annotations

from mgmtool import plugins
from mgmtool.masking._draws import below, derive_seed, draws
from mgmtool.masking._objects import objects_in_tokens, visible
from mgmtool.masking._subsets import pick
from mgmtool.masking.base import Scheme

__all__ = [
    "SCHEMES",
    "Scheme",
    "below",
    "build",
    "derive_seed",
    "draws",
    "names",
    "objects_in_tokens",
    "pick",
    "summary",
    "visible",
]

SCHEMES: plugins.Family[Scheme] = plugins.SCHEMES

names = SCHEMES.names
build = SCHEMES.build
summary = SCHEMES.summary
