"""Tests that every plug-in should pass, as base classes for pytest.

Derive a class whose name begins with ``Test``, and name the plug-ins:

>>> from mgmtool.testing import SchemeContract
>>> class TestMySchemes(SchemeContract):
...     names = ["lower-part"]

Each contract says in its attributes what may be set besides. ``pytest`` need not be installed to import this module. For messages
that show the values in a failed assertion, call ``pytest.register_assert_rewrite("mgmtool.testing")`` in ``conftest.py``.
"""

from __future__ import annotations

from mgmtool.testing.engines import EngineContract
from mgmtool.testing.formats import FormatContract
from mgmtool.testing.plugin import PluginContract
from mgmtool.testing.schemes import SchemeContract
from mgmtool.testing.sources import SourceContract

__all__ = ["EngineContract", "FormatContract", "PluginContract", "SchemeContract", "SourceContract"]
