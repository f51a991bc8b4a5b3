"""Every engine gives results in order; the local one survives whatever a task does to its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mgmtool import engines
from mgmtool.engines import Engine, available_cpus
from mgmtool.errors import UsageError
from mgmtool.testing import EngineContract
from support import engine_work, ray_nodes

OPTIONS: dict[str, dict[str, Any]] = {"local": {"workers": 2, "timeout": 60}, "ray": {"workers": 1}}
KILLED = "crash: the worker died: SIGKILL, killed from outside, perhaps by the system for lack of memory"


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[None]:
    """One node; the engine stays with the cluster its process is connected to."""
    pytest.importorskip("ray", reason="Ray is not installed; see make test-ray")
    with ray_nodes.cluster(2) as nodes, nodes.connected():
        yield


class TestEveryEngine(EngineContract):
    names = engines.names()
    options = OPTIONS

    @pytest.fixture(autouse=True)
    def _request(self, request: pytest.FixtureRequest) -> None:
        self._fixtures = request

    def engine(self, name: str) -> Engine:
        if name == "ray":
            self._fixtures.getfixturevalue("ray_cluster")
        return super().engine(name)


def ends(tasks: list[str], **options: Any) -> list[str]:
    """How the local engine ends each task."""
    results = list(engines.build("local", options).run(engine_work.misbehave, tasks, engine_work.blame))
    assert len(results) == len(tasks)
    return results


def test_the_engines_there_are() -> None:
    assert {"inline", "local"} <= set(engines.names())


def test_bad_ends_cost_their_own_task_only() -> None:
    tasks = ["ok-0", "raise", "ok-1", "exit", "ok-2", "segfault", "ok-3", "kill", "ok-4", "unpicklable", "ok-5", "ok-6"]
    results = dict(zip(tasks, ends(tasks, workers=2, timeout=60), strict=True))
    assert {task: result for task, result in results.items() if task.startswith("ok")} == {
        f"ok-{number}": f"fine ok-{number}" for number in range(7)
    }
    assert results["raise"] == r"crash: KeyError: 'no such thing\nsecond line'"
    assert results["exit"] == "crash: the worker died: exit code 3 (2 tries)"
    assert results["segfault"] == "crash: the worker died: SIGSEGV (2 tries)"
    assert results["kill"] == KILLED + " (2 tries)"
    assert results["unpicklable"].startswith("crash: ")
    assert "\n" not in results["unpicklable"]


def test_only_bad_ends_on_one_worker() -> None:
    assert ends(["exit-0", "kill-1", "exit-2", "ok"], workers=1, retries=0) == [
        "crash: the worker died: exit code 3",
        KILLED,
        "crash: the worker died: exit code 3",
        "fine ok",
    ]


def test_a_task_that_hangs_is_stopped_at_its_timeout() -> None:
    tasks = ["ok-0", "hang-0", "ok-1", "hang-1", "ok-2"]
    blamed = "timeout: took longer than 1.5 s; its worker was stopped"
    assert ends(tasks, workers=2, timeout=1.5, retries=0) == ["fine ok-0", blamed, "fine ok-1", blamed, "fine ok-2"]


def test_time_spent_waiting_in_the_queue_is_not_counted(tmp_path: Path) -> None:
    paths = [str(tmp_path / str(number)) for number in range(12)]  # 0.2 s each, so the last ones wait longer than 2 s
    results = engines.build("local", {"workers": 1, "timeout": 2}).run(
        engine_work.touch_and_wait, paths, engine_work.blame
    )
    assert list(results) == paths


def test_work_is_done_in_processes_that_are_recycled() -> None:
    pids = ends([f"pid-{number}" for number in range(6)], workers=1, recycle=2)
    assert len(set(pids)) == 3
    assert str(os.getpid()) not in pids


def test_workers_are_gone_after_the_end() -> None:
    (pid,) = ends(["pid"], workers=1)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_workers_leave_ctrl_c_to_the_driver() -> None:
    engine = engines.build("local", {"workers": 1})
    results = engine.run(
        engine_work.misbehave, ["pid", "ok-1", *(f"pid-{n}" for n in range(20)), "ok-2"], engine_work.blame
    )
    os.kill(int(next(results)), signal.SIGINT)
    assert [result for result in results if not result.isdecimal()] == ["fine ok-1", "fine ok-2"]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("local", {"workers": 0}, "workers is 0; expected auto, or 1 or more"),
        ("local", {"workers": -2}, "workers is -2; expected auto, or 1 or more"),
        ("local", {"workers": "many"}, "local option workers is 'many'; expected a whole number"),
        ("local", {"workers": "1.5"}, "local option workers is '1.5'; expected a whole number"),
        ("local", {"timeout": 0}, "timeout is 0.0; expected more than 0 seconds"),
        ("local", {"timeout": "nan"}, "timeout is nan; expected more than 0 seconds"),
        ("local", {"timeout": "soon"}, "local option timeout is 'soon'; expected a number"),
        ("local", {"recycle": 0}, "recycle is 0; expected 1 or more"),
        ("local", {"retries": -1}, "retries is -1; expected 0 or more"),
        ("local", {"retries": "some"}, "local option retries is 'some'; expected a whole number"),
        ("local", {"worker_memory": "much"}, "worker_memory is 'much'; expected auto, none, or a size such as 4GB"),
        ("local", {"worker_memory": 0}, "worker_memory is '0'; expected auto, none, or a size such as 4GB or 800MiB"),
        (
            "local",
            {"worker": 2},
            "local has no option 'worker' (did you mean 'workers'?); it has: "
            "recycle, retries, timeout, worker_memory, workers",
        ),
        ("inline", {"timeout": 3}, "inline has no option 'timeout'; it has: no options"),
        ("loacl", {}, "unknown engine 'loacl' (did you mean 'local'?); expected one of: inline, local, ray"),
    ],
)
def test_bad_options_are_named(name: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        engines.build(name, options)
    assert words in str(caught.value)


def test_ray_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    results = engines.build("ray").run(engine_work.double, [1], engine_work.blame)
    with pytest.raises(UsageError, match=r"the engine ray needs Ray: pip install 'mgmtool\[ray\]'"):
        next(results)


def test_naming_the_engines_imports_no_ray() -> None:
    code = "import sys; from mgmtool import engines; engines.names(); engines.build('ray'); assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_workers_may_be_left_to_the_machine() -> None:
    assert engines.build("local", {"workers": "auto"}) == engines.build("local")
    assert available_cpus() >= 1
