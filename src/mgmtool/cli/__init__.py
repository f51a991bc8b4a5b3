"""The command line. Every file in ``commands/`` is a command.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

from mgmtool.cli.main import cli, main

__all__ = ["cli", "main"]
