"""What every engine offers.

Public: plug-ins of other packages import from here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Protocol, TypeVar, runtime_checkable

from mgmtool.errors import VideoError

__all__ = ["Cluster", "Engine", "Item", "Result"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """An engine: a frozen dataclass whose fields are its options."""

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


@runtime_checkable
class Cluster(Engine, Protocol):
    """An engine whose tasks run on other machines.

    Whoever has much small work gives it whole batches of it (for ``extract``: parts of the store) as items, and ``work`` does the
    members of a batch with the engine that :meth:`on_node` returns.
    """

    def on_node(self) -> Engine:
        """Return the engine that does the members of a batch, on the machine that the batch was sent to. Picklable."""
        ...
