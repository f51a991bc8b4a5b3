"""Numba kernels on arrays and scalars: no I/O but the machine code that is kept, no Python objects, nothing of mgmtool imported.

Every kernel writes into arrays its caller owns, adds in the order written, and stays inside its arrays whatever the values.
Each has a slow twin in plain Python in ``tests/`` and runs under ``NUMBA_DISABLE_JIT=1`` too.
"""

from mgmtool.kernels._jit import cache_problem, compilations

__all__ = ["cache_problem", "compilations"]
