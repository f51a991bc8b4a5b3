"""How the process ends, whatever ended it."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

import click

DONE, FATAL, USAGE, SOME_FAILED, TOO_MANY_FAILED = 0, 1, 2, 3, 4


class Terminated(BaseException):
    """SIGTERM arrived; raised where the program is, so that everything open is closed on the way out."""


def raise_on_sigterm() -> None:
    """Turn SIGTERM into :class:`Terminated`."""
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise Terminated


def fail(message: str, code: int) -> int:
    """Print one line of error on stderr and return the exit code."""
    click.echo(f"{click.style('mgmtool: error:', fg='red', bold=True)} {message}", err=True, color=wants_color())
    return code


def wants_color() -> bool | None:
    """Return False under NO_COLOR, None to let click look at the terminal."""
    return False if os.environ.get("NO_COLOR") else None


def broken_pipe() -> int:
    """End quietly after whoever read our output went away."""
    # Python flushes stdout once more on exit; give it somewhere to go.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE
