"""Where time goes: a clock that knows the stage the work is in.

Off unless asked for: :func:`timed` then hands back what it was given, and :func:`stage` does nothing. Stages nest, and each
moment counts for the innermost one only: what an iterator waits for in the one below it is not its own time.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")


class Clock:
    """Seconds of each stage.

    Attributes
    ----------
    seconds : dict
        By stage, in the order in which they were first entered.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._stack: list[str] = []
        self._since = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside for a stage."""
        self._enter(name)
        try:
            yield
        finally:
            self._leave()

    def timed(self, items: Iterable[T], name: str) -> Generator[T, None, None]:
        """Yield the items; the time that each takes to come counts for a stage."""
        source = iter(items)
        while True:
            self._enter(name)
            try:
                item = next(source)
            except StopIteration:
                return
            finally:
                self._leave()
            yield item

    def _enter(self, name: str) -> None:
        now = perf_counter()
        if self._stack:
            self.seconds[self._stack[-1]] += now - self._since
        self._stack.append(name)
        self._since = now

    def _leave(self) -> None:
        now = perf_counter()
        self.seconds[self._stack.pop()] += now - self._since
        self._since = now


class _Here(threading.local):
    """The clock of this thread, if one runs."""

    clock: Clock | None = None


_here = _Here()
_NOTHING = nullcontext()


@contextmanager
def measured(on: bool = True) -> Iterator[dict[str, float]]:
    """Run a clock for :func:`stage` and :func:`timed` of this thread.

    Parameters
    ----------
    on : bool
        Off, nothing is measured.

    Yields
    ------
    dict
        Seconds by stage, which fills up meanwhile.
    """
    before, clock = _here.clock, Clock()
    _here.clock = clock if on else None
    try:
        yield clock.seconds
    finally:
        _here.clock = before


def stage(name: str) -> AbstractContextManager[None]:
    """Count what happens inside for a stage, if a clock runs."""
    clock = _here.clock
    return _NOTHING if clock is None else clock.stage(name)


def timed(items: Iterable[T], name: str) -> Iterator[T]:
    """Return an iterator whose items' time counts for a stage, if a clock runs now."""
    clock = _here.clock
    return iter(items) if clock is None else clock.timed(items, name)
