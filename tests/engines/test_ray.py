"""Extraction on a Ray cluster of two nodes writes the bytes of the reference engine, a node killed in the middle or not."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mgmtool import engines, extraction
from mgmtool.corpus import Part
from mgmtool.engines import Engine
from mgmtool.errors import StoreBusyError, UsageError
from mgmtool.extraction import prepare
from mgmtool.extraction import run as extraction_run
from mgmtool.extraction.run import Work, write_part
from mgmtool.types import ExtractSpec, Outcome, PatchGrid, VideoRef
from support import engine_work, ray_nodes, stores, tiny_videos
from support.driving import wait_for

pytest.importorskip("ray", reason="Ray is not installed; see make test-ray")

SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=4)
FLAGS = ["--grid", "4x6", "--energy-grid", "3x4", "--part-videos", "4"]
PROGRAM = [sys.executable, "-c", "from mgmtool.cli import main; main()"]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    tiny_videos.write_mixed(folder, 37)  # 40 files, 10 parts
    return folder


@pytest.fixture(scope="module")
def reference(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("reference") / "m.zarr"
    list(extraction.extract([str(videos)], store, SPEC, "inline"))
    return store


@pytest.fixture
def nodes() -> Iterator[ray_nodes.Nodes]:
    with ray_nodes.cluster(1, 1) as made:
        yield made


def ray(nodes: ray_nodes.Nodes) -> Engine:
    return engines.build("ray", {"address": nodes.address})


@pytest.mark.slow
def test_two_nodes_write_the_same_bytes(
    videos: Path, reference: Path, nodes: ray_nodes.Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the tasks have another current folder
    outcomes = list(extraction.extract([str(videos)], "m.zarr", SPEC, ray(nodes)))
    assert len(outcomes) == 40
    assert {o.video.id: o.failure for o in outcomes if not o.done} == tiny_videos.NOT_VIDEOS
    stores.assert_same(tmp_path / "m.zarr", reference)


@pytest.mark.slow
def test_a_node_killed_in_the_middle_costs_nothing(
    videos: Path, reference: Path, nodes: ray_nodes.Nodes, tmp_path: Path
) -> None:
    store = tmp_path / "m.zarr"

    def kill() -> None:
        wait_for(
            lambda: len(list((store / ".writing").glob("part-*"))) == 2
        )  # each node has one CPU and writes one part
        nodes.kill_one()

    killer = threading.Thread(target=kill)
    killer.start()
    outcomes = list(extraction.extract([str(videos)], store, SPEC, ray(nodes)))
    killer.join()
    assert nodes.workers == []
    assert len({outcome.video.id for outcome in outcomes}) == len(outcomes) == 40
    stores.assert_same(store, reference)


@pytest.mark.slow
def test_command_line_end_to_end(videos: Path, reference: Path, nodes: ray_nodes.Nodes, tmp_path: Path) -> None:
    output = tmp_path / "m.zarr"
    command = [*PROGRAM, "extract", str(videos), "-o", output, "--engine", "ray", *FLAGS, "--ray-address"]
    ended = subprocess.run([*command, "auto"], capture_output=True, text=True, check=False, env=env(nodes))
    assert ended.returncode == 3, ended.stderr  # three files are no videos
    assert len(ended.stderr.splitlines()) <= 5, ended.stderr
    stores.assert_same(output, reference)
    ended = subprocess.run([*command, "127.0.0.1:1"], capture_output=True, text=True, check=False, env=env(nodes))
    assert ended.returncode == 3, ended.stderr  # nothing is left to do, so nobody looks for the cluster


@pytest.mark.slow
def test_sigterm_ends_a_run_at_once_and_it_can_be_resumed(
    videos: Path, reference: Path, nodes: ray_nodes.Nodes, tmp_path: Path
) -> None:
    output = tmp_path / "m.zarr"
    command = [*PROGRAM, "extract", str(videos), "-o", output, "--engine", "ray", *FLAGS]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env(nodes)) as driver:
        wait_for(lambda: list((output / "index").glob("part-*.parquet")))
        driver.send_signal(signal.SIGTERM)
        _, errors = driver.communicate(timeout=120)
    assert driver.returncode == 143, errors
    list(extraction.extract([str(videos)], output, SPEC, "inline"))
    stores.assert_same(output, reference)


def env(nodes: ray_nodes.Nodes) -> dict[str, str]:
    return {**os.environ, "RAY_ADDRESS": nodes.address}


@pytest.mark.slow
def test_a_task_that_kills_its_process_is_tried_again_then_lost(nodes: ray_nodes.Nodes) -> None:
    fine, killed, raised = ray(nodes).run(engine_work.misbehave, ["ok", "kill", "raise"], engine_work.blame)
    assert fine == "fine ok"
    assert killed.startswith("crash: WorkerCrashedError: ")
    assert "\n" not in killed
    assert raised.startswith("crash: KeyError: ")
    assert raised.endswith(")")


@pytest.mark.slow
def test_more_workers_than_any_node_has_cpus(nodes: ray_nodes.Nodes) -> None:
    engine = engines.build("ray", {"address": nodes.address, "workers": 3})
    with pytest.raises(UsageError, match="workers is 3, but no node of the Ray cluster has more than 1 CPUs"):
        next(engine.run(engine_work.double, [1], engine_work.blame))


def test_a_cluster_that_is_not_there() -> None:
    engine = engines.build("ray", {"address": "127.0.0.1:1"})
    with pytest.raises(UsageError, match=r"cannot join a Ray cluster at '127.0.0.1:1'"):
        next(engine.run(engine_work.double, [1], engine_work.blame))


def test_no_cluster_is_running(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(UsageError, match="cannot join a Ray cluster at 'auto'"):
        next(engines.build("ray", {"address": "auto"}).run(engine_work.double, [1], engine_work.blame))
    handler = signal.getsignal(signal.SIGTERM)
    assert list(engines.build("ray").run(engine_work.double, [1, 2], engine_work.blame)) == [2, 4]
    assert caplog.messages == ["no Ray cluster is running here; starting one on this machine"]
    assert signal.getsignal(signal.SIGTERM) is handler


def part_of(videos: Path, output: Path) -> tuple[Part, Any]:
    job = prepare([str(videos)], output, SPEC, engines.build("inline"))
    return job.parts[0], job._writer


def test_a_task_waits_for_an_earlier_try_of_itself(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, writer = part_of(videos, tmp_path / "m.zarr")
    inline, again = engines.build("inline"), pickle.loads(pickle.dumps(writer))  # another process has another lock file
    results: list[list[Outcome]] = []
    with writer.part(part.number):
        waiting = threading.Thread(target=lambda: results.append(write_part(part, again, inline, Work())))
        waiting.start()
        waiting.join(1.5)
        assert waiting.is_alive()
        monkeypatch.setattr(extraction_run, "_PATIENCE", 0)
        with pytest.raises(StoreBusyError):
            write_part(part, pickle.loads(pickle.dumps(writer)), inline, Work())
    waiting.join(30)
    assert [outcome.video.id for outcome in results[0]] == [video.id for video in part.videos]


def test_a_task_that_died_after_its_commit_is_not_done_twice(videos: Path, tmp_path: Path) -> None:
    part, writer = part_of(videos, tmp_path / "m.zarr")
    first = write_part(part, writer, engines.build("inline"), Work())
    second = write_part(part, writer, engines.build("inline"), Work())

    def told(outcomes: list[Outcome]) -> list[tuple[VideoRef, str | None, int]]:
        return [(outcome.video, outcome.failure, outcome.part) for outcome in outcomes]

    assert told(first) == told(second)
