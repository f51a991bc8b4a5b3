"""What every engine keeps, whoever runs the work."""

from __future__ import annotations

import itertools
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from mgmtool.engines import ENGINES, Cluster, Engine
from mgmtool.errors import VideoError
from mgmtool.plugins import Family
from mgmtool.testing.plugin import PluginContract

TASK_SECONDS = 0.2


def double(item: int) -> int:
    """Do work that is easy to check."""
    return 2 * item


def touch_and_wait(path: str) -> str:
    """Leave a trace of having started, and of having ended."""
    Path(path).write_text("started")
    time.sleep(TASK_SECONDS)
    Path(path).write_text("ended")
    return path


def blame(item: object, error: VideoError) -> str:  # noqa: ARG001
    """Make the result of an item that was lost."""
    return f"{error.failure}: {error}"


class EngineContract(PluginContract):
    """Tests of engines.

    Attributes
    ----------
    names : sequence of str
        The engines to test.
    items_ahead : int
        Most items that an engine takes ahead of the results.
    """

    family: ClassVar[Family[Any]] = ENGINES
    items_ahead: ClassVar[int] = 128

    def engine(self, name: str) -> Engine:
        """Return the engine of a name, able to run."""
        engine: Engine = self.build(name)
        return engine

    def test_the_engine_on_a_node_is_no_cluster(self, name: str) -> None:
        engine = self.build(name)
        assert isinstance(engine, Cluster) == hasattr(engine, "on_node")
        if isinstance(engine, Cluster):
            assert not isinstance(engine.on_node(), Cluster)
            assert pickle.dumps(engine.on_node())

    def test_results_come_in_the_order_of_the_items(self, name: str) -> None:
        assert list(self.engine(name).run(double, range(50), blame)) == list(range(0, 100, 2))

    def test_nothing_to_do_gives_nothing(self, name: str) -> None:
        assert list(self.engine(name).run(double, [], blame)) == []

    def test_nothing_happens_before_the_first_result_is_asked_for(self, name: str) -> None:
        items = iter(range(3))
        self.engine(name).run(double, items, blame).close()
        assert next(items) == 0

    def test_items_are_taken_only_a_few_ahead(self, name: str) -> None:
        taken = 0

        def counted() -> Iterator[int]:
            nonlocal taken
            for item in itertools.count():
                taken = item + 1
                yield item

        results = self.engine(name).run(double, counted(), blame)
        for number in range(200):
            assert next(results) == 2 * number
            assert taken - number <= self.items_ahead
        results.close()

    def test_closing_early_stops_the_work(self, name: str, tmp_path: Path) -> None:
        paths = [str(tmp_path / str(number)) for number in range(8)]
        results = self.engine(name).run(touch_and_wait, paths, blame)
        assert next(results) == paths[0]
        results.close()
        assert list(results) == []
        state = {path.name: path.read_text() for path in tmp_path.iterdir()}
        assert len(state) < len(paths)
        time.sleep(1.5 * TASK_SECONDS)  # whatever still ran would leave another trace by then
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == state

    def test_an_error_of_whoever_gives_the_items_is_theirs(self, name: str) -> None:
        import pytest

        def broken() -> Iterator[int]:
            yield 1
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            list(self.engine(name).run(double, broken(), blame))
