"""The command line. Every file in ``commands/`` is a command.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _interrupt_ends() -> Iterator[None]:
    """Let Ctrl-C end the process as the system does, where nothing could be said but a traceback: while this is loaded."""
    by_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    try:
        if by_default:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
    except ValueError:  # in another thread than the first nothing is interrupted
        by_default = False
    try:
        yield
    finally:
        if by_default:
            signal.signal(signal.SIGINT, signal.default_int_handler)


with _interrupt_ends():
    from mgmtool.cli.main import cli, main

__all__ = ["cli", "main"]
