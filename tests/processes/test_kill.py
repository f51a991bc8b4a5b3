"""Whatever is killed, and whenever: nothing is lost, nothing is done twice, and the bytes are those of a quiet run."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from support import stores, tiny_videos
from support.driving import family, gone, records, run, start, verify, wait_for, workers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux has them"),
]

VIDEOS, PART, ROUNDS = 24, 3, 30
FLAGS = ["--workers", 2, "--part-videos", PART, "--retries", 8, "--progress", "none"]
CLIPS = [
    "action/debian-pytorch-vision/R6llTwEh07w.mp4",
    "action/debian-pytorch-vision/RATRACE_wave_f_nm_np1_fr_goo_37.avi",
    "action/debian-pytorch-vision/v_SoccerJuggling_g23_c01.avi",
    "action/smth-smth-v2-baseline-with-models/vid.mp4",
]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dozen videos: real ones where there are any, for they take longer."""
    folder = tmp_path_factory.mktemp("videos")
    clips = Path(os.environ.get("MGMTOOL_CORPUS", "/nowhere")) / "clips"
    if not all((clips / clip).is_file() for clip in CLIPS):
        tiny_videos.write_clips(folder, VIDEOS, 900)
        return folder
    for number in range(VIDEOS):
        clip = clips / CLIPS[number % len(CLIPS)]
        (folder / f"{number:02}{clip.suffix}").symlink_to(clip)
    return folder


@pytest.fixture(scope="module")
def reference(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run makes of them that nobody disturbs."""
    store = tmp_path_factory.mktemp("reference") / "m.zarr"
    ended = run("extract", videos, "-o", store, *FLAGS)
    assert ended.returncode == 0, ended.stderr
    verify(store)
    return store


def complete(videos: Path, store: Path, reference: Path) -> None:
    """Go on with a store undisturbed, and compare."""
    ended = run("extract", videos, "-o", store, *FLAGS)
    assert ended.returncode == 0, ended.stderr
    ids = [name for record in records(store) for name in pq.read_table(record)["id"].to_pylist()]
    assert sorted(ids) == sorted(path.name for path in videos.iterdir())
    stores.assert_same(store, reference)
    verify(store)


def make_room(store: Path, dice: random.Random) -> None:
    """Leave at least half of the work: take parts back that are there."""
    there = records(store)
    for record in dice.sample(there, max(0, len(there) - VIDEOS // PART // 2)):
        record.unlink()
        shutil.rmtree(store / record.stem)


def kill_something(driver: subprocess.Popen[str], dice: random.Random) -> str | None:
    """Kill the driver or a worker at a random moment; say which, or None if it was too late."""
    at = time.monotonic() + dice.random() * 1.2
    wait_for(lambda: driver.poll() is not None or time.monotonic() > at)
    everyone, victims = family(driver), workers(driver)
    if driver.poll() is not None or not victims:
        return None
    if dice.random() < 0.5:
        with suppress(psutil.NoSuchProcess):
            dice.choice(victims).kill()
            return "worker"
        return None
    driver.kill()
    wait_for(lambda: gone(everyone))
    return "driver"


def test_thirty_kills_at_random_moments(videos: Path, reference: Path, tmp_path: Path) -> None:
    store, dice = tmp_path / "m.zarr", random.Random(7)
    kills: list[str] = []
    while len(kills) < ROUNDS:
        make_room(store, dice)
        with start("extract", videos, "-o", store, *FLAGS) as driver:
            wait_for(lambda driver=driver: driver.poll() is not None or workers(driver))
            while len(kills) < ROUNDS and driver.poll() is None:
                kills += filter(None, [kill_something(driver, dice)])
            _, errors = driver.communicate(timeout=120)
            assert driver.returncode in {0, -signal.SIGKILL}, errors
    assert min(kills.count("driver"), kills.count("worker")) > 5, kills
    complete(videos, store, reference)


def test_two_drivers_with_the_same_output(videos: Path, reference: Path, tmp_path: Path) -> None:
    for number in range(5):
        store = tmp_path / f"{number}.zarr"
        drivers = [start("extract", videos, "-o", store, *FLAGS) for _ in range(2)]
        errors = [driver.communicate(timeout=120)[1] for driver in drivers]
        codes = [driver.returncode for driver in drivers]
        assert sorted(codes) in ([0, 0], [0, 1]), errors
        for code, text in zip(codes, errors, strict=True):
            assert code == 0 or "another run" in text, text
        complete(videos, store, reference)


def test_sigterm_ends_a_run_and_it_can_be_resumed(videos: Path, reference: Path, tmp_path: Path) -> None:
    store = tmp_path / "m.zarr"
    with start("extract", videos, "-o", store, *FLAGS) as driver:
        wait_for(lambda: records(store))
        terminate(driver)
    complete(videos, store, reference)


def terminate(driver: subprocess.Popen[str]) -> None:
    everyone = family(driver)
    driver.terminate()
    _, errors = driver.communicate(timeout=120)  # a worker that hangs would do so for ten minutes
    assert driver.returncode == 143, errors
    assert re.search(r"terminated; \d+ finished videos? (is|are) kept, run the same command again to resume", errors)
    wait_for(lambda: gone(everyone))


def test_sigterm_while_a_worker_hangs_in_c(tmp_path: Path) -> None:
    folder, store, quiet = tmp_path / "videos", tmp_path / "m.zarr", tmp_path / "quiet.zarr"
    paths = tiny_videos.write_clips(folder, 9)
    paths[-1].rename(folder / "stuck-8.mp4")  # the name matters to the engine "wild" alone
    flags = ["--part-videos", 2, "--progress", "none"]
    with start("extract", folder, "-o", store, *flags, "--engine", "wild", "--workers", 2) as driver:
        wait_for(lambda: len(records(store)) == 4)
        terminate(driver)
    for place in (store, quiet):
        assert run("extract", folder, "-o", place, *flags).returncode == 0
    stores.assert_same(store, quiet)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 KB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "none", str(place)], check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: mount says {mounted.returncode}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("engine", ["inline", "local"])
def test_a_full_disk_ends_the_run_and_it_can_be_resumed(small_disk: Path, tmp_path: Path, engine: str) -> None:
    folder, store, quiet = tmp_path / "videos", small_disk / "m.zarr", tmp_path / "quiet.zarr"
    tiny_videos.write_clips(folder, 16)
    flags = ["--part-videos", 1, "--progress", "none", "--engine", engine]
    ended = run("extract", folder, "-o", store, *flags)
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.splitlines()[-1] == (
        f"mgmtool: error: cannot write {store}: No space left on device; what was committed before stays valid"
    )
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert 1 <= len(records(store)) < 16
    verify(store)
    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    for place in (store, quiet):
        assert run("extract", folder, "-o", place, *flags).returncode == 0
    stores.assert_same(store, quiet)
    verify(store)
