"""A Ray cluster of several nodes on this machine; nothing of Ray is imported before one is asked for."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

MEMORY = 100 * 2**20  # of each object store; nothing of ours goes through it


@dataclass
class Nodes:
    """A running cluster."""

    cluster: Any
    workers: list[Any] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Connect this process."""
        import ray

        ray.init(address=self.address, log_to_driver=False, logging_level=logging.ERROR)
        try:
            yield
        finally:
            ray.shutdown()

    def kill_one(self) -> None:
        """Kill a node as a power cut would."""
        self.cluster.remove_node(self.workers.pop(), allow_graceful=False)


@contextmanager
def cluster(*cpus: int) -> Iterator[Nodes]:
    """Start a node of so many CPUs each; the first is the head. Their processes find the modules of the tests."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        environment.setenv(
            "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
        )
        environment.delenv("RAY_ADDRESS", raising=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Ray's own imports
            from ray.cluster_utils import Cluster
        head, *others = cpus
        made = Cluster(initialize_head=True, head_node_args=_options(head))
        try:
            nodes = [made.add_node(**_options(count)) for count in others]
            made.wait_for_nodes()
            yield Nodes(made, nodes)
        finally:
            made.shutdown()


def _options(cpus: int) -> dict[str, Any]:
    return {"num_cpus": cpus, "object_store_memory": MEMORY, "include_dashboard": False}
