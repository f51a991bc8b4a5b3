"""Hypothesis profiles: fewer examples where the kernels run as plain Python."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("default", max_examples=60, deadline=None, derandomize=True, database=None)
settings.register_profile("nojit", settings.get_profile("default"), max_examples=15)
settings.load_profile("nojit" if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0") else "default")
