"""How the process ends: exit codes, signals, closed pipes."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TextIO

import click

from mgmtool.cli.console import notice
from mgmtool.errors import OutputError

DONE, FATAL, USAGE, SOME_FAILED, TOO_MANY_FAILED = 0, 1, 2, 3, 4

_ENDING = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
_CURES = {
    errno.EMFILE: "; too many files are open at a time for its limit, see ulimit -n",
    errno.ENFILE: "; the system has too many files open",
    errno.ENOSPC: "; make room there, or set TMPDIR (or --scratch) to a folder with room if it is for temporary files",
    errno.EDQUOT: "; make room there, or set TMPDIR (or --scratch) to a folder with room if it is for temporary files",
    errno.EROFS: "; the file system is read-only",
}
"""What to do about an error of the system, by its number."""

_STOPPING = b"stopping: finished videos are kept; press Ctrl-C again to stop at once\n"


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived; raised wherever the program is, so that everything open is closed on the way out.

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
    """Turn SIGTERM and SIGHUP into :class:`Terminated`; a second one ends the process."""

    def terminate(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Terminated(number)

    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, terminate)


@contextmanager
def signals_stop(quiet: bool, told: Callable[[str], None]) -> Iterator[Stop]:
    """Make a signal raise :class:`KeyboardInterrupt` or :class:`Terminated`, and a second one end the process at once.

    Afterwards signals do what they did before, unless one has come: then the next one still ends a clean-up that hangs.

    Parameters
    ----------
    quiet : bool
        Whether to say nothing on stderr.
    told : callable
        Called with the name of the signal.

    Yields
    ------
    Stop
        Its :meth:`Stop.check` is to be called now and then.
    """
    stop = Stop(quiet, told)
    before: dict[int, Any] = {}
    for number in (signal.SIGINT, *_ENDING):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, stop)
    try:
        yield stop
    finally:
        if not stop.came:
            for caught, handler in before.items():
                signal.signal(caught, handler)


class Stop:
    """A signal handler for a command that takes some time to end.

    Parameters
    ----------
    quiet, told
        As for :func:`signals_stop`.

    Attributes
    ----------
    came : bool
        Whether a signal has arrived.
    """

    def __init__(self, quiet: bool, told: Callable[[str], None]) -> None:
        self._quiet, self._told, self.came = quiet, told, False
        self._error: BaseException | None = None

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
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
        self._error = KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)
        raise self._error

    def check(self) -> None:
        """Raise once more what was raised for a signal: code in C, such as a look-up in a dictionary, may have dropped it."""
        if self._error is not None:
            raise self._error


def kept_words(videos: int) -> str:
    """Say how many videos an interrupted run leaves to the next one."""
    return f"{videos} finished {'video is' if videos == 1 else 'videos are'} kept"


def stopped_words(how: str, error: BaseException) -> str:
    """Say what becomes of a run that a signal ended; a run that had begun has noted what it keeps."""
    (kept, *_) = getattr(error, "__notes__", ["what was finished is kept"])
    return f"{how}; {kept}, run the same command again to resume"


def fail(message: str, code: int) -> int:
    """Print one line of error on stderr and return the exit code."""
    with suppress(OSError):  # whoever could read it may be gone
        notice(f"{click.style('mgmtool: error:', fg='red', bold=True)} {message}")
    return code


def open_streams() -> None:
    """Put the null device where a standard stream is closed, so that no file of the run gets its number and what others write.

    Errors of stdout are told from those of files.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, "w" if number else "r", encoding="utf-8")  # noqa: SIM115, PTH123  open to the end
            setattr(sys, name, stream)
            try:
                os.fstat(number)
            except OSError:
                os.dup2(stream.fileno(), number)
    if type(sys.stdout) is io.TextIOWrapper and "write" not in vars(sys.stdout):
        # Whoever writes there, click, rich or we, the error says where it was.
        for action in ("write", "flush"):
            setattr(sys.stdout, action, _told(getattr(sys.stdout, action)))


def _told(action: Callable[..., Any]) -> Callable[..., Any]:
    """Name standard output where it cannot be written; a pipe that is closed and a terminal that is gone are no errors."""

    def act(*given: Any) -> Any:
        try:
            return action(*given)
        except OSError as error:
            if error.errno in {errno.EPIPE, errno.EIO}:
                raise
            raise OutputError(f"cannot write to standard output: {error.strerror or error}") from None

    return act


def system_words(error: OSError) -> str:
    """Word an error of the system that nobody foresaw, with what to do about it."""
    words = error.strerror or str(error) or type(error).__name__
    named = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
    return f"{words}{named}{_CURES.get(error.errno or 0, '')}"


def settle(stream: TextIO) -> None:
    """Drop what cannot be written to a standard stream, over which Python would end with a code of its own."""
    try:
        stream.flush()
    except (OSError, ValueError):
        _forget(stream)


def _forget(stream: TextIO) -> None:
    """Let what is left in the buffer of a stream go to the null device, since Python flushes it once more on exit."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def broken_pipe() -> int:
    """End quietly after stdout was closed; return what a shell says of a process that SIGPIPE ended."""
    _forget(sys.stdout)
    return 141
