"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Any, Self

import click

from mgmtool.cli._exit import can_draw, wants_color
from mgmtool.types import Outcome

_PLAIN_SECONDS = 30.0
_COLUMNS = 80
_BAR_COLUMNS = 29
"""Columns of a terminal that the bar itself, its counts and the share keep."""


@contextmanager
def patient() -> Iterator[None]:
    """Ignore that nobody can be told: a terminal that is gone is no reason to end otherwise than its signal says."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise


def duration(seconds: float) -> str:
    """Put a time in words, to two places: ``3 d 4 h``, ``2 h 05 min``, ``7 min 10 s``, ``12 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole // 60 % 60:02} min"
    return f"{whole // 86400} d {whole // 3600 % 24} h"


def rate(value: float) -> str:
    """Write a number to three places, or whole."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"


class Progress:
    """Counts, and draws nothing; base of the two that do.

    Attributes
    ----------
    total, done, failed, frames, size : int
        Videos in all; videos and failures so far; their frames and input bytes.
    """

    def __init__(self, total: int, size: int | None = None) -> None:
        self.total, self.done, self.failed, self.frames, self.size = total, 0, 0, 0, 0
        self._whole = size
        self.start = self._moved = monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with patient():
            self.close()

    def advance(self, outcome: Outcome) -> None:
        """Count one more video."""
        self.done += 1
        self.failed += not outcome.done
        self.frames += 0 if outcome.facts is None else outcome.facts.num_frames
        self.size += max(outcome.video.size, 0)
        self._moved = monotonic()
        with patient():
            self.draw()

    def say(self, line: str) -> None:
        """Print a line without disturbing the drawing."""
        with patient():
            click.echo(line, err=True, color=wants_color())

    def pulse(self) -> None:
        """Show the current state, though nothing has happened."""

    def draw(self) -> None:
        """Show the current state."""

    def close(self) -> None:
        """Leave the terminal tidy."""

    def left(self) -> float | None:
        """Seconds still to go, by the bytes that are left, or by videos where sizes are not known; None before the first."""
        share = self.size / self._whole if self._whole else self.done / max(self.total, 1)
        if self.done == self.total:
            return 0.0
        return (monotonic() - self.start) * (1 - share) / share if share > 0 else None

    def rates(self) -> list[str]:
        """Videos, frames and input bytes a second."""
        seconds = max(monotonic() - self.start, 1e-9)
        found = [f"{rate(self.done / seconds)} videos/s", f"{rate(self.frames / seconds)} frames/s"]
        return [*found, f"{rate(self.size / seconds / 1e6)} MB/s"] if self._whole else found

    def line(self) -> str:
        """Say all in one line."""
        left, still = self.left(), monotonic() - self._moved
        parts = [f"{self.done}/{self.total} videos", f"{self.failed} failed", *self.rates()]
        parts += [f"none for {duration(still)}"] if still > _PLAIN_SECONDS > 0 else []
        return ", ".join([*parts, "time left unknown" if left is None else f"about {duration(left)} left"])


class Plain(Progress):
    """One line every 30 seconds."""

    def __init__(self, total: int, size: int | None = None) -> None:
        super().__init__(total, size)
        self._last = self.start

    def draw(self) -> None:
        """Print a line if the last one is old enough."""
        now = monotonic()
        if now - self._last >= _PLAIN_SECONDS:
            self._last = now
            self.say(self.line())

    def pulse(self) -> None:
        """Print a line if the last one is old enough, also while nothing ends."""
        self.draw()


class Bar(Progress):
    """A tqdm bar."""

    def __init__(self, total: int, size: int | None = None) -> None:
        super().__init__(total, size)
        from tqdm import tqdm

        # Three columns stay free, so that the ^C which a terminal echoes stays on the line.
        form = "{percentage:3.0f}%|{bar:-3}| {n_fmt}/{total_fmt}{desc}"
        self._bar: Any = tqdm(
            total=total, unit="video", file=sys.stderr, dynamic_ncols=True, smoothing=0.05, bar_format=form
        )

    def draw(self) -> None:
        """Move the bar on."""
        self._bar.set_description_str(self._words(), refresh=False)
        self._bar.update(self.done - self._bar.n)

    def pulse(self) -> None:
        """Draw the bar anew, so that its times go on."""
        self._bar.set_description_str(self._words(), refresh=True)

    def _words(self) -> str:
        """As much as fits, what matters most first."""
        left = self.left()
        words = f", {self.failed} failed" + (f", {duration(left)} left" if left else "")
        room = _columns() - _BAR_COLUMNS - 2 * len(str(self.total))
        for more in self.rates():
            if len(words) + len(more) + 2 > room:
                break
            words += f", {more}"
        return words

    def say(self, line: str) -> None:
        """Print above the bar."""
        plain = wants_color() is False or not sys.stderr.isatty()
        with patient():
            self._bar.write(click.unstyle(line) if plain else line, file=sys.stderr)

    def close(self) -> None:
        """Leave the last state of the bar on the screen."""
        self._bar.close()


def _columns() -> int:
    """Width of the terminal that stderr is, which need not be the one that stdout is."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _COLUMNS
    except (OSError, ValueError, AttributeError):
        return _COLUMNS


def make_progress(kind: str, total: int, quiet: bool, size: int | None = None) -> Progress:
    """Choose how progress is drawn: ``auto``, ``bar``, ``plain`` or ``none``.

    Parameters
    ----------
    kind : str
        What was asked for.
    total : int
        Videos to come.
    quiet : bool
        Whether to draw nothing.
    size : int, optional
        Their input bytes, if known.
    """
    if kind == "none" or quiet or total == 0:
        return Progress(total, size)
    if kind == "bar" or (kind == "auto" and can_draw()):
        return Bar(total, size)
    return Plain(total, size)
