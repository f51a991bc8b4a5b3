"""The pool of the local engine loses nothing when its workers are killed, and leaves nothing behind when it is."""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from mgmtool import engines
from mgmtool.engines import local
from mgmtool.engines._pool import Pool
from mgmtool.engines._worker import Settings
from support import engine_work

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux has them")
pytestmark = LINUX


def run(work: Callable[[Any], Any], items: Any, **options: Any) -> Any:
    return engines.build("local", {"timeout": 60, **options}).run(work, items, engine_work.blame)


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return found


def workers() -> list[psutil.Process]:
    """The workers of this process: they are children of the fork server, which is a child of ours."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if "forkserver" in " ".join(child.cmdline()):
                found += child.children()
    return found


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def kill_workers(random_moments: random.Random, done: list[int], stop: threading.Event, times: int) -> None:
    """Kill one worker at a time, each after there has been a result since."""
    try:
        for _ in range(times):
            before = len(done)
            wait_for(lambda before=before: len(done) > before, 300)  # the first may have to wait for compiled kernels
            time.sleep(random_moments.random() * 0.06)
            with suppress(psutil.Error, IndexError):
                random_moments.choice(workers()).kill()
    finally:
        stop.set()


def test_killing_workers_at_any_moment_loses_nothing() -> None:
    done: list[int] = []
    stop = threading.Event()

    def items() -> Iterator[int]:
        for number in range(20_000):
            if stop.is_set():
                return
            yield number

    killer = threading.Thread(target=kill_workers, args=(random.Random(0), done, stop, 30))
    killer.start()
    for number, result in enumerate(run(engine_work.give_bytes, items(), workers=2, retries=5)):
        assert result[:4] == number.to_bytes(4, "big"), result[:200]
        assert len(result) == 3_000_000
        done.append(number)
    killer.join()
    assert len(done) > 30


def test_a_worker_killed_while_it_has_nothing_to_do_costs_nothing() -> None:
    pids = []
    work = pickle.dumps(engine_work.misbehave)
    with Pool(1, Settings(work, recycle=100, memory=None, timeout=60, retries=0), most_bytes=1) as pool:
        for number in range(6):
            pool.submit(f"pid-{number}")
            item, answer = pool.take()
            assert item == f"pid-{number}"
            assert isinstance(answer, bytes), answer
            pids.append(pickle.loads(answer))
            worker = psutil.Process(int(pids[-1]))  # it has answered, and there is no other task
            worker.kill()
            worker.wait(60)
    assert len(set(pids)) == 6


@pytest.mark.parametrize("retries", [0, 1])
def test_a_worker_killed_while_it_sends_costs_what_it_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retries: int
) -> None:
    monkeypatch.setattr(local, "_BYTES_AHEAD", 1_500_000)  # the third 1 MB is not fetched before the first item ends
    paths = [str(tmp_path / name) for name in ("wait", "1", "2", "3", "4")]

    def kill() -> None:
        pid = int(wait_for(lambda: (tmp_path / "3").exists() and (tmp_path / "3").read_text()))
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
        (tmp_path / "wait").touch()

    killer = threading.Thread(target=kill)
    killer.start()
    results = list(run(engine_work.give_bytes_or_wait, paths, workers=2, retries=retries))
    killer.join()
    assert [results[0], results[1][:2], results[2][:2], results[4][:2]] == [b"", b"11", b"22", b"44"]
    assert results[3][:2] == b"33" if retries else results[3].startswith("crash: the worker died: SIGKILL")


def test_answers_wait_in_the_workers_when_too_many_bytes_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_BYTES_AHEAD", 5_000_000)
    paths = [str(tmp_path / name) for name in ("wait-0", *map(str, range(10, 40)), "wait-1", *map(str, range(50, 80)))]
    seen = []

    def watch() -> None:
        for name in ("wait-0", "wait-1"):
            wait_for(lambda: sum(path.stat().st_size > 0 for path in tmp_path.glob("[0-9]*")) >= 5)
            time.sleep(0.7)
            seen.append(len(list(tmp_path.glob("[0-9]*"))))
            (tmp_path / name).touch()

    watcher = threading.Thread(target=watch)
    watcher.start()
    results = list(run(engine_work.give_bytes_or_wait, paths, workers=2))
    watcher.join()
    assert [result[:2] for result in results] == [Path(path).name.encode()[:2].replace(b"wa", b"") for path in paths]
    assert 5 <= seen[0] <= 8


def test_one_that_hangs_does_not_stop_the_others(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("wait", *map(str, range(100, 150)))]

    def release() -> None:
        wait_for(lambda: len(list(tmp_path.iterdir())) == 50)
        (tmp_path / "wait").touch()

    releaser = threading.Thread(target=release)
    releaser.start()
    assert len(list(run(engine_work.give_bytes_or_wait, paths, workers=2))) == 51
    releaser.join()


@pytest.mark.parametrize("how", ["stuck", "spin", "hang"])
def test_whatever_hangs_is_stopped_at_its_timeout(how: str) -> None:
    results = list(run(engine_work.misbehave, [how, "ok"], workers=1, timeout=1, retries=0))
    assert results == ["timeout: took longer than 1 s; its worker was stopped", "fine ok"]


def test_closing_ends_whatever_hangs() -> None:
    tasks = ["ok", "stuck", "spin", "hang", *["ok"] * 300]
    results = run(engine_work.misbehave, tasks, workers=3)
    assert next(results) == "fine ok"
    wait_for(lambda: len(workers()) == 3)
    left = workers()
    results.close()  # each of them would take ten minutes
    assert gone(left)


def test_tries_are_counted_and_one_may_succeed(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder in folders:
        folder.mkdir()
    paths = [str(folder / lines) for folder, lines in zip(folders, ("2", "3", "0"), strict=True)]
    results = list(run(engine_work.try_again, paths, workers=1, retries=2))
    assert results == ["fine", "crash: the worker died: exit code 3 (3 tries)", "fine"]
    assert Path(paths[1]).read_text() == "tried\n" * 3


def test_one_that_takes_too_much_memory_is_stopped() -> None:
    eaten, fine = run(engine_work.misbehave, ["eat", "ok"], workers=1, retries=0, worker_memory="700MB")
    assert eaten.startswith("memory: its worker reached ")
    assert eaten.endswith("more than the limit of 700 MB; see --worker-memory")
    assert fine == "fine ok"


def test_a_worker_that_keeps_too_much_is_replaced_and_nobody_is_blamed() -> None:
    pids = list(
        run(engine_work.misbehave, [f"leak-{n}" for n in range(4)], workers=1, retries=0, worker_memory="800MB")
    )
    assert len(set(pids)) == 4
    assert all(pid.isdecimal() for pid in pids)


def test_no_more_workers_are_started_than_there_are_tasks() -> None:
    assert list(run(engine_work.misbehave, ["workers"], workers=8)) == ["1"]


def test_the_fork_server_may_be_killed() -> None:
    results = run(engine_work.double, range(600), workers=2, retries=3)
    first = [next(results)]
    for child in psutil.Process().children():
        if "forkserver" in " ".join(child.cmdline()):
            child.kill()
    assert first + list(results) == list(range(0, 1200, 2))


@pytest.mark.parametrize("moment", ["started", "running", "idle"])
def test_nothing_is_left_when_the_driver_is_killed(moment: str) -> None:
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from support import engine_work\n"
        "from mgmtool import engines\n"
        "def items():\n"
        "    yield from sys.argv[2:]\n"
        "    print('given', flush=True)\n"
        "    time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        "    list(engines.build('local', {'workers': 4}).run(engine_work.misbehave, items(), engine_work.blame))\n"
    )
    tasks = ["ok"] if moment == "idle" else ["hang", "spin", "stuck", "ok"]
    command = [sys.executable, "-c", script, str(Path(__file__).parents[1]), *tasks]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"given\n"
        us = psutil.Process(driver.pid)
        left = wait_for(lambda: found if len(found := us.children(recursive=True)) >= 2 + len(tasks) else None)
        if moment != "started":
            time.sleep(0.7)
        driver.kill()
        wait_for(lambda: gone(left))  # each of them would take ten minutes


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="nothing is compiled")
def test_workers_are_forked_with_compiled_kernels() -> None:
    (count,) = run(engine_work.compiled, [0], workers=1)
    assert count >= 1


class Stubborn:
    """Cannot be read back."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("not a number",)

    def __call__(self, _item: object) -> None:
        raise AssertionError


def be_stubborn(_item: int) -> Stubborn:
    return Stubborn()


def test_what_cannot_be_sent_or_read_is_the_failure_of_its_item() -> None:
    words = "crash: ValueError: invalid literal for int() with base 10: 'not a number'"
    assert list(run(Stubborn(), [1, 2], workers=1)) == [words] * 2
    assert list(run(be_stubborn, [1, 2], workers=1)) == [words] * 2
    assert list(run(engine_work.double, [1, Stubborn(), 3], workers=1)) == [2, words, 6]
    one, two, three = run(engine_work.double, [1, lambda: None, 3], workers=1)
    assert (one, three) == (2, 6)
    assert two.startswith("crash: ")


def test_work_that_cannot_be_sent_is_an_error_of_the_caller() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError)):
        next(run(lambda item: item, [1], workers=1))


def test_tasks_may_be_larger_than_a_pipe() -> None:
    items = [bytes([number]) * 2_000_000 for number in range(12)]
    assert [len(result) for result in run(engine_work.double, items, workers=2)] == [4_000_000] * 12
