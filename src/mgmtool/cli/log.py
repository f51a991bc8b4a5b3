"""The log file of a run: one line per event, with time and level."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from mgmtool.cli.console import notice
from mgmtool.errors import UsageError, one_line

_PROGRESS_SECONDS = 30.0


class Log:
    """A file to which lines are appended, each in one write: no buffer that a signal could find half full.

    Parameters
    ----------
    path : Path or None
        None for no file.

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
        """Write one line. A full disk or a lost network share ends the log, not the run."""
        if self._file is None:
            return
        words = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {level} {one_line(text)}\n"
        try:
            os.write(self._file, words.encode("utf-8", "backslashreplace"))
        except OSError as error:
            self._file = None
            notice(f"the log file can no longer be written: {one_line(str(error))}")

    def progress(self, words: Callable[[], str]) -> None:
        """Write the progress so far, if the last such line is old enough."""
        if self._file is not None and monotonic() - self._last >= _PROGRESS_SECONDS:
            self._last = monotonic()
            self.line("INFO", words())
