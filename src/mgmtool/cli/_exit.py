"""How the process ends, whatever ended it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import click

DONE, FATAL, USAGE, SOME_FAILED, TOO_MANY_FAILED = 0, 1, 2, 3, 4

_ENDING = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
_STOPPING = b"stopping: the part being written is dropped; press Ctrl-C again to stop at once\n"


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived; raised where the program is, so that everything open is closed on the way out.

    Attributes
    ----------
    number : int
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def code(self) -> int:
        """Exit code, as a shell would count it."""
        return 128 + self.number


def raise_on_sigterm() -> None:
    """Turn SIGTERM and SIGHUP into :class:`Terminated`; the second one ends the process."""
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _terminate)


def _terminate(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    raise Terminated(number)


@contextmanager
def signals_stop(quiet: bool, told: Callable[[str], None]) -> Iterator[None]:
    """Have a signal raise :class:`KeyboardInterrupt` or :class:`Terminated`, and a second one end the process at once.

    Afterwards signals do what they did before, unless one has come: then the next still ends a clean-up that hangs.

    Parameters
    ----------
    quiet : bool
        Whether to say nothing on stderr.
    told : callable
        Gets the name of the signal.
    """
    stop = _Stop(quiet, told)
    before: dict[int, Any] = {}
    for number in (signal.SIGINT, *_ENDING):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        if not stop.came:
            for caught, handler in before.items():
                signal.signal(caught, handler)


class _Stop:
    """A signal handler for a run that takes its time to end."""

    def __init__(self, quiet: bool, told: Callable[[str], None]) -> None:
        self._quiet, self._told, self.came = quiet, told, False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if self.came:
            # Workers end with us, see engines; whatever is on disk is as a kill -9 would leave it.
            os._exit(128 + number)
        self.came = True
        if not self._quiet:
            with suppress(
                OSError, ValueError
            ):  # past Python's buffers, into which the main thread may be writing just now
                os.write(2, (b"\n" if sys.stderr.isatty() else b"") + _STOPPING)
        self._told(signal.Signals(number).name)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)


def fail(message: str, code: int) -> int:
    """Print one line of error on stderr and return the exit code."""
    with suppress(OSError):  # whoever could read it may be gone
        click.echo(f"{click.style('mgmtool: error:', fg='red', bold=True)} {message}", err=True, color=wants_color())
    return code


def wants_color() -> bool | None:
    """Return False under NO_COLOR and on a terminal that knows no colours, None to let click look at the terminal."""
    return False if os.environ.get("NO_COLOR") or is_dumb() else None


def is_dumb() -> bool:
    """Whether the terminal can only print line after line, as in an editor."""
    return os.environ.get("TERM") in {"dumb", "unknown"}


def can_draw() -> bool:
    """Whether stderr is a terminal on which a bar can be drawn."""
    return sys.stderr.isatty() and not is_dumb()


def broken_pipe() -> int:
    """End quietly after whoever read our output went away; return what a shell says of a process that SIGPIPE ended."""
    # Python flushes stdout once more on exit; give it somewhere to go.
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
