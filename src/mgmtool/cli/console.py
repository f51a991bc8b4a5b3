"""What a terminal shows: progress, tables, colours, JSON lines and notices, for every command.

Results go to stdout, everything else to stderr. tqdm and rich are imported when there is something to draw.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from mgmtool import plugins
from mgmtool.cli.words import duration, plain_words, three_digits
from mgmtool.errors import OutputError, one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mgmtool.extraction.recipe import Recipe

_PLAIN_SECONDS = 30.0
_PULSE_SECONDS = 5.0
_NOTICE_SECONDS = 1.5
_COLUMNS = 80
_BAR_COLUMNS = 29
"""Columns of a terminal that the bar itself, its counts and the share keep."""
_PIPE_COLUMNS = 10_000
_NARROW_COLUMNS = 120


# --- colours and lines --------------------------------------------------------------------------------------------------


def is_dumb() -> bool:
    """Whether the terminal can only print line after line, as in an editor."""
    return os.environ.get("TERM") in {"dumb", "unknown"}


def wants_color() -> bool | None:
    """Return False under NO_COLOR and on a terminal without colours, None to let click look at the terminal."""
    return False if os.environ.get("NO_COLOR") or is_dumb() else None


def can_draw() -> bool:
    """Whether stderr is a terminal on which a bar can be drawn."""
    return sys.stderr.isatty() and not is_dumb()


def notice(line: str) -> None:
    """Print a line on stderr; where that is full or gone, nobody can be told, and the work goes on."""
    try:
        click.echo(line, err=True, color=wants_color())
    except BrokenPipeError:
        raise
    except OSError:
        return


def failed(what: str, message: str, kind: str = "failed") -> str:
    """Word a line that says what failed, and why."""
    return f"{click.style(kind, fg='red')} {one_line(what)}: {one_line(message)}"


def json_line(value: Any) -> str:
    """Return JSON on one line, with everything escaped that a terminal might act on or turn around."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def compile_kernels(recipe: Recipe, quiet: bool = False) -> None:
    """Compile or load the kernels that a recipe needs.

    Unless ``quiet`` is set, stderr says so if compiling takes long (loading is not spoken of), and where compiled kernels cannot
    be kept.

    Raises
    ------
    OutputError
        The folder of compiled kernels cannot be used.
    """
    from mgmtool.extraction.stream import warm_up
    from mgmtool.kernels import cache_problem, compilations

    before, over = compilations(), threading.Event()

    def tell() -> None:
        seconds = _NOTICE_SECONDS
        while not over.wait(seconds):
            if compilations() > before:
                notice("compiling kernels; this happens once, later runs load them")
                return
            seconds = _PULSE_SECONDS

    if not quiet:
        threading.Thread(target=tell, name="mgmtool-compiling", daemon=True).start()
        if (problem := cache_problem()) is not None:
            notice(problem)
    try:
        warm_up(recipe)
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        raise OutputError(
            f"the folder of compiled kernels cannot be used: {error or type(error).__name__}; mgmtool doctor says where it is: "
            "empty it, or set NUMBA_CACHE_DIR to another one"
        ) from None
    finally:
        over.set()
    gc.freeze()  # what is loaded by now stays: full collections need not walk it again and again


# --- progress -----------------------------------------------------------------------------------------------------------


@contextmanager
def patient() -> Iterator[None]:
    """Ignore a terminal that is gone, so that the process ends as its signal says and not with an error of output."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise


class Progress:
    """Counts, and draws nothing; base of the two that do.

    Parameters
    ----------
    total : int
        Units to come.
    size : int, optional
        Their input bytes, if known.
    unit : str
        What is counted.

    Attributes
    ----------
    total, done, failed, frames, size : int
        Units in all; units and failures so far; their frames and input bytes.
    on_pulse : callable or None
        Called every few seconds while the work goes on, from another thread.
    """

    pulses = False

    def __init__(self, total: int, size: int | None = None, unit: str = "video") -> None:
        self.total, self.done, self.failed, self.frames, self.size = total, 0, 0, 0, 0
        self.unit, self._whole = unit, size
        self.start = self._moved = monotonic()
        self.on_pulse: Callable[[], None] | None = None
        self._over = threading.Event()

    def __enter__(self) -> Self:
        if self.pulses or self.on_pulse is not None:
            threading.Thread(target=self._beat, name="mgmtool-pulse", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with patient():
            self.close()

    def _beat(self) -> None:
        while not self._over.wait(_PULSE_SECONDS):
            try:
                self.pulse()
                if self.on_pulse is not None:
                    self.on_pulse()
            except (OSError, ValueError):  # the terminal is gone; the main thread finds out by itself
                return

    def advance(self, failed: bool = False, frames: int = 0, size: int = 0) -> None:
        """Count one more unit, with its frames and input bytes."""
        self.move(self.done + 1, self.frames + frames, failed, size)

    def move(self, done: int, frames: int, failed: bool = False, size: int = 0) -> None:
        """Set how many units and frames are done, and show it."""
        self.done, self.frames = done, frames
        self.failed += failed
        self.size += size
        self._moved = monotonic()
        with patient():
            self.draw()

    def say(self, line: str) -> None:
        """Print a line on stderr without disturbing the drawing."""
        with patient():
            notice(line)

    def show(self, line: str) -> None:
        """Print a line on stdout without disturbing the drawing; flushed at once."""
        click.echo(line, color=wants_color())

    def pulse(self) -> None:
        """Show the current state, though nothing has happened."""

    def draw(self) -> None:
        """Show the current state."""

    def close(self) -> None:
        """Leave the terminal tidy."""

    def left(self) -> float | None:
        """Seconds left, by the remaining bytes if sizes are known, else by units; None before the first."""
        share = self.size / self._whole if self._whole else self.done / max(self.total, 1)
        if self.done and self.done == self.total:
            return 0.0
        return (monotonic() - self.start) * (1 - share) / share if share > 0 else None

    def rates(self) -> list[str]:
        """Units per second, and frames and input bytes per second if they are counted."""
        seconds = max(monotonic() - self.start, 1e-9)
        found = [f"{three_digits(self.done / seconds)} {self.unit}s/s"]
        if self.frames:
            found.append(f"{three_digits(self.frames / seconds)} frames/s")
        return [*found, f"{three_digits(self.size / seconds / 1e6)} MB/s"] if self._whole else found

    def line(self) -> str:
        """Say all in one line."""
        left, still = self.left(), monotonic() - self._moved
        parts = [f"{self.done}/{self.total} {self.unit}s", f"{self.failed} failed", *self.rates()]
        parts += [f"none for {duration(still)}"] if still > _PLAIN_SECONDS > 0 else []
        return ", ".join([*parts, "time left unknown" if left is None else f"about {duration(left)} left"])


class Plain(Progress):
    """One line every 30 seconds, also while nothing ends."""

    pulses = True

    def __init__(self, total: int, size: int | None = None, unit: str = "video") -> None:
        super().__init__(total, size, unit)
        self._last = self.start

    def draw(self) -> None:
        """Print a line if the last one is old enough."""
        now = monotonic()
        if now - self._last >= _PLAIN_SECONDS:
            self._last = now
            self.say(self.line())

    pulse = draw


class Bar(Progress):
    """A tqdm bar."""

    pulses = True

    def __init__(self, total: int, size: int | None = None, unit: str = "video") -> None:
        super().__init__(total, size, unit)
        from tqdm import tqdm

        # Three columns stay free, so that the ^C which a terminal echoes stays on the line.
        form = "{percentage:3.0f}%|{bar:-3}| {n_fmt}/{total_fmt}{desc}"
        self._bar: Any = tqdm(
            total=total, unit=unit, file=sys.stderr, dynamic_ncols=True, smoothing=0.05, bar_format=form
        )

    def draw(self) -> None:
        """Move the bar on."""
        self._bar.total = self.total
        self._bar.set_description_str(self._words(), refresh=False)
        self._bar.update(self.done - self._bar.n)

    def pulse(self) -> None:
        """Draw the bar again, so that its times go on."""
        self._bar.set_description_str(self._words(), refresh=True)

    def _words(self) -> str:
        """As much as fits, what matters most first."""
        left = self.left()
        words = f", {self.failed} failed" + (f", {duration(left)} left" if left else "")
        try:  # stderr need not be the terminal that stdout is
            columns = os.get_terminal_size(sys.stderr.fileno()).columns or _COLUMNS
        except (OSError, ValueError, AttributeError):
            columns = _COLUMNS
        room = columns - _BAR_COLUMNS - 2 * len(str(self.total))
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

    def show(self, line: str) -> None:
        """Print on stdout, above the bar if both are on one terminal."""
        if not sys.stdout.isatty():
            super().show(line)
            return
        with self._bar.external_write_mode(file=sys.stdout):
            super().show(line)

    def close(self) -> None:
        """Leave the last state of the bar on the screen."""
        self._bar.close()


def make_progress(kind: str, total: int | None, quiet: bool, size: int | None = None, unit: str = "video") -> Progress:
    """Choose how progress is drawn: ``auto``, ``bar``, ``plain`` or ``none``.

    Parameters
    ----------
    kind : str
        What was asked for.
    total : int or None
        Units to come; None if that is found out later, and set then.
    quiet : bool
        Whether to draw nothing.
    size : int, optional
        Their input bytes, if known.
    unit : str
        What is counted, in the singular.
    """
    if kind == "none" or quiet or total == 0:
        return Progress(total or 0, size, unit)
    if kind == "bar" or (kind == "auto" and can_draw()):
        return Bar(total or 0, size, unit)
    return Plain(total or 0, size, unit)


# --- tables -------------------------------------------------------------------------------------------------------------


def rich_stdout() -> Console:
    """Return rich's console on stdout, which never wraps in a pipe; rich itself keeps NO_COLOR and TERM=dumb."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS, highlight=False)


def narrow() -> bool:
    """Whether ids and messages side by side would both be folded on this terminal."""
    return rich_stdout().width < _NARROW_COLUMNS


def grid(rows: Sequence[Sequence[Any]] = ()) -> Table:
    """Return a table without lines or heading. Text is taken as rich markup."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for row in rows:
        table.add_row(*row)
    return table


def columns(*names: str, right: Sequence[str] = (), title: str | None = None, indent: bool = False) -> Table:
    """Return a table with a heading and no lines; columns named in ``right`` are aligned to the right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=indent, title=title, title_justify="left")
    for name in names:
        table.add_column(name, justify="right" if name in right else "left")
    return table


def show(table: Table) -> None:
    """Print a table on stdout. On a narrow terminal, words are folded, not cut; lines end where their text ends."""
    for column in table.columns:
        column.overflow = "fold"
    drawn = rich_stdout()
    with drawn.capture() as text:
        drawn.print(table)
    click.echo("\n".join(line.rstrip() for line in text.get().splitlines()), color=True)  # rich has decided on colours


def show_facts(facts: Mapping[str, Any], as_json: bool) -> None:
    """Print names and values on stdout, nested ones on one line each."""
    from rich.markup import escape

    if as_json:
        click.echo(json_line(facts))
        return
    show(grid([(f"[bold]{name}[/bold]", escape(plain_words(value))) for name, value in facts.items()]))


def show_plugins(family: plugins.Family[Any], as_json: bool) -> None:
    """Print the plug-ins of a family on stdout: name, summary, and options with their defaults."""
    from rich.markup import escape

    plugin_facts: dict[str, dict[str, Any]] = {
        name: {"summary": family.summary(name), "options": plugins.default_options(family.load(name))}
        for name in family.names()
    }
    if as_json:
        click.echo(json.dumps(plugin_facts))
        return
    rows = []
    for name, facts in plugin_facts.items():
        shown = " ".join(f"{key}={'auto' if value is None else value}" for key, value in facts["options"].items())
        rows.append(
            (f"[bold]{name}[/bold]", escape(facts["summary"]) + (f" [dim]{escape(shown)}[/dim]" if shown else ""))
        )
    show(grid(rows))


def show_profile(profile: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Print on stderr the seconds, share and microseconds per frame of every stage, of all workers and of the driver."""
    from rich.console import Console

    numbers = ("seconds", "share", "µs per frame")
    table = columns("", "stage", *numbers, right=numbers)
    for who, stages in profile.items():
        for number, (stage, facts) in enumerate(stages.items()):
            cells = f"{facts['seconds']:.2f}", f"{facts['share']:.1%}", f"{facts['us_per_frame']:.1f}"
            table.add_row("" if number else who, stage, *cells)
    Console(stderr=True, width=None if sys.stderr.isatty() else 100, highlight=False).print(table)
