"""What every engine offers.

Public: plug-ins of other packages import from here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import ClassVar, Protocol, TypeVar

from mgmtool.errors import VideoError

__all__ = ["Engine", "Item", "Result"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """An engine: a frozen dataclass whose fields are its options.

    Attributes
    ----------
    whole_parts : bool
        Whether an item is a whole part, which a task on another machine writes and commits, rather than one video.
    """

    whole_parts: ClassVar[bool]

    def inside(self) -> Engine:
        """Return the engine that does the videos of a part inside a task; the engine itself where an item is a video."""
        ...

    def run(
        self,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item, VideoError], Result],
    ) -> Generator[Result, None, None]:
        """Apply ``work`` to every item and yield the results in the order of the items.

        Parameters
        ----------
        work : callable
            Picklable; answers failures of the item itself with a result.
        items : iterable
            Taken only a few ahead of the results.
        lost : callable
            Makes the result of an item whose process died, hung or could not answer.
        """
        ...
