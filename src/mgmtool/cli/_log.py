"""A log of a run that goes on overnight: one line an event, with time and level."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

import click

from mgmtool.errors import UsageError, one_line

_PROGRESS_SECONDS = 30.0
_PULSE_SECONDS = 5.0


class Log:
    """A file to which lines are appended, whole and at once: there is no buffer that a signal could find half full.

    Parameters
    ----------
    path : Path or None
        None is no file.

    Raises
    ------
    UsageError
        It cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        self._last = monotonic()
        try:
            self._file = None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise UsageError(f"--log-file {str(path)!r} cannot be opened: {error.strerror or error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def line(self, level: str, text: str) -> None:
        """Write one line. A disk that is full, or a share that is gone, ends the log and not the run."""
        if self._file is None:
            return
        words = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {level} {one_line(text)}\n"
        try:
            os.write(self._file, words.encode("utf-8", "backslashreplace"))
        except OSError as error:
            self._file = None
            click.echo(f"the log file can no longer be written: {one_line(str(error))}", err=True)

    def progress(self, words: Callable[[], str]) -> None:
        """Write how far things are, if the last such line is old enough."""
        if self._file is not None and monotonic() - self._last >= _PROGRESS_SECONDS:
            self._last = monotonic()
            self.line("INFO", words())


class Pulse:
    """Calls somebody every few seconds, also while nothing else happens, in a thread that ends with the process.

    Parameters
    ----------
    call : callable
        Who is called.
    """

    def __init__(self, call: Callable[[], None]) -> None:
        self._call, self._over = call, threading.Event()
        self._thread = threading.Thread(target=self._run, name="mgmtool-pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(_PULSE_SECONDS):
            try:
                self._call()
            except (OSError, ValueError):  # nobody reads it any more; the main thread finds out by itself
                return
