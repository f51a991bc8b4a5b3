"""Everything in this process, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

from mgmtool.engines.base import Item, Result
from mgmtool.errors import VideoError


@dataclass(frozen=True)
class Inline:
    """The reference engine: no processes, no timeout, easy to debug and profile."""

    def run(
        self,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item, VideoError], Result],  # noqa: ARG002  nothing gets lost in one process
    ) -> Generator[Result, None, None]:
        """See :meth:`mgmtool.engines.Engine.run`."""
        for item in items:
            yield work(item)


PLUGIN = Inline
