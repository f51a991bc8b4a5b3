"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import Any, Self

import click

from mgmtool.cli._exit import wants_color
from mgmtool.types import Outcome

_PLAIN_SECONDS = 30.0


class Progress:
    """Draws nothing; base of the two that do."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.failed, self.frames = total, 0, 0, 0
        self.start = monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def advance(self, outcome: Outcome) -> None:
        """Count one more video."""
        self.done += 1
        self.failed += not outcome.done
        self.frames += 0 if outcome.facts is None else outcome.facts.num_frames
        self.draw()

    def say(self, line: str) -> None:
        """Print a line without disturbing the drawing."""
        click.echo(line, err=True, color=wants_color())

    def draw(self) -> None:
        """Show the current state."""

    def close(self) -> None:
        """Leave the terminal tidy."""


class Plain(Progress):
    """One line every 30 seconds."""

    def __init__(self, total: int) -> None:
        super().__init__(total)
        self._last = self.start

    def draw(self) -> None:
        """Print a line if the last one is old enough."""
        now = monotonic()
        if now - self._last < _PLAIN_SECONDS:
            return
        self._last = now
        rate = self.done / (now - self.start)
        left = (self.total - self.done) / rate
        self.say(
            f"{self.done}/{self.total} videos, {self.failed} failed, {rate:.2f} videos/s, "
            f"{self.frames / (now - self.start):.0f} frames/s, about {left:.0f} s left"
        )


class Bar(Progress):
    """A tqdm bar."""

    def __init__(self, total: int) -> None:
        super().__init__(total)
        from tqdm import tqdm

        self._bar: Any = tqdm(total=total, unit="video", file=sys.stderr, dynamic_ncols=True, smoothing=0.05)

    def draw(self) -> None:
        """Move the bar on."""
        seconds = max(monotonic() - self.start, 1e-9)
        self._bar.set_postfix_str(f"{self.frames / seconds:.0f} frames/s, {self.failed} failed", refresh=False)
        self._bar.update()

    def say(self, line: str) -> None:
        """Print above the bar."""
        plain = wants_color() is False or not sys.stderr.isatty()
        self._bar.write(click.unstyle(line) if plain else line, file=sys.stderr)

    def close(self) -> None:
        """Leave the last state of the bar on the screen."""
        self._bar.close()


def make_progress(kind: str, total: int, quiet: bool) -> Progress:
    """Choose how progress is drawn: ``auto``, ``bar``, ``plain`` or ``none``."""
    if kind == "none" or quiet or total == 0:
        return Progress(total)
    if kind == "bar" or (kind == "auto" and sys.stderr.isatty()):
        return Bar(total)
    return Plain(total)
