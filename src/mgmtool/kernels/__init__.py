"""Numba kernels on arrays and scalars: no I/O, no Python objects, nothing of mgmtool imported.

Every kernel writes into arrays its caller owns, adds in the order written, and stays inside its arrays whatever the values.
Each has a slow twin in plain Python in ``tests/`` and runs under ``NUMBA_DISABLE_JIT=1`` too.
"""
