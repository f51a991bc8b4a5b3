"""Kill runs of ``mgmtool extract`` in every way there is, and see that nothing is lost and nothing is wrong.

    python benchmarks/torture.py [--tries 60] [--seed 0]

Kills of the driver, of a worker, of the whole group, and signals, at random moments; each run resumes the store that the
one before left. Of every kill it is counted how many finished videos the next run did again: at most as many as there are
workers. Every store that is whole is compared, byte by byte, with that of a run nobody disturbed. Then two drivers in PID
namespaces of their own, and a power cut after every step of a run, as the tests have them. Clips come from
``$MGMTOOL_CORPUS``, or are made.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from mgmtool.extraction.journal import PREFIX, finished_ids  # noqa: E402
from support import stores, tiny_videos  # noqa: E402
from support.driving import PROGRAM, family, gone, run, workers  # noqa: E402

VIDEOS, WORKERS = 24, 2
FLAGS = ["--workers", WORKERS, "--part-videos", 8, "--retries", 8, "--progress", "none", "--json"]
WAYS = ["driver", "worker", "group", "SIGINT", "SIGTERM", "SIGHUP"]
CLIPS = [
    "action/debian-pytorch-vision/RATRACE_wave_f_nm_np1_fr_goo_37.avi",
    "action/debian-pytorch-vision/v_SoccerJuggling_g23_c01.avi",
]
CASES = {
    "two drivers in PID namespaces of their own": ["tests/processes/test_durability.py", "-k", "two_containers"],
    "a power cut after every step": ["tests/store/test_power_cut.py"],
}


def make_videos(folder: Path) -> None:
    """Two dozen short videos, real ones where there are any."""
    clips = [Path(os.environ.get("MGMTOOL_CORPUS", "/nowhere")) / "clips" / clip for clip in CLIPS]
    folder.mkdir()
    if all(clip.is_file() for clip in clips):
        for number in range(VIDEOS):
            clip = clips[number % len(clips)]
            (folder / f"{number:02}{clip.suffix}").symlink_to(clip)
    else:
        tiny_videos.write_clips(folder, VIDEOS, 300)


def committed(store: Path) -> set[str]:
    """Ids in the records of a store."""
    return {name for file in (store / "index").glob("part-*.parquet") for name in pq.read_table(file)["id"].to_pylist()}


def journalled(store: Path) -> set[str]:
    """Ids of the finished videos that journals hold, whoever wrote them."""
    return {video_id for path in store.glob(f".writing/part-*/{PREFIX}*") for video_id in finished_ids(path)}


class Torture:
    """One corpus, one store, and what was seen.

    Parameters
    ----------
    folder : Path
        Where everything lies.
    dice : random.Random
        When and how to kill.
    """

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.videos, self.store, self.quiet = folder / "videos", folder / "m.zarr", folder / "quiet.zarr"
        self._dice, self._log = dice, folder / "events"
        self.kills, self.again, self.worst, self.stores = Counter[str](), 0, 0, 0
        make_videos(self.videos)

    def start(self) -> subprocess.Popen[str]:
        """Start a run in a group of its own."""
        command = [*PROGRAM, *map(str, ["extract", self.videos, "-o", self.store, *FLAGS])]
        with self._log.open("w") as log, (self._log.with_suffix(".err")).open("w") as errors:
            return subprocess.Popen(command, stdout=log, stderr=errors, text=True, start_new_session=True)

    def events(self) -> list[dict[str, Any]]:
        """Events of videos that the last run told of."""
        found = []
        for line in self._log.read_text().splitlines():
            with suppress(ValueError):  # the last line of a killed run may be half a line
                found.append(json.loads(line))
        return [event for event in found if event["event"] == "video"]

    def one_run(self) -> None:
        """Start a run on what the last one left, kill something of it, and count what of its past was done again."""
        before, there = journalled(self.store), committed(self.store)
        driver = self.start()
        self._kill(driver, before | there)
        driver.wait(120)
        told = self.events()
        again = {event["id"] for event in told if not event["resumed"]} & before
        self._count(again)
        if driver.returncode == 0:
            self._finish()

    def _kill(self, driver: subprocess.Popen[str], known: set[str]) -> None:
        way = self._dice.choice(WAYS)
        while driver.poll() is None and not workers(driver):
            time.sleep(0.01)
        end = time.monotonic() + self._dice.random() * 2.5
        while driver.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        everyone, victims = family(driver), workers(driver)
        if driver.poll() is not None or not victims:
            return
        self.kills[way] += 1
        if way == "worker":
            finished = journalled(self.store) - known
            with suppress(psutil.Error):
                self._dice.choice(victims).kill()
            if self._dice.random() < 0.5:  # let the run end; a video that was finished has one entry
                return
            time.sleep(0.3)
            assert finished <= journalled(self.store) | committed(self.store)
            driver.kill()
        elif way == "group":
            os.killpg(driver.pid, signal.SIGKILL)
            for process in everyone:
                with suppress(psutil.Error):
                    process.kill()
        elif way == "driver":
            driver.kill()
        else:
            driver.send_signal(getattr(signal, way))
        driver.wait(120)
        while not gone(everyone):
            time.sleep(0.01)

    def _count(self, again: set[str]) -> None:
        self.again += len(again)
        self.worst = max(self.worst, len(again))
        assert len(again) <= WORKERS, f"{sorted(again)} were finished and done again"

    def _finish(self) -> None:
        """Compare a store that is whole, and begin another."""
        assert committed(self.store) == {path.name for path in self.videos.iterdir()}
        ids = Counter(
            name for file in self.store.glob("index/*.parquet") for name in pq.read_table(file)["id"].to_pylist()
        )
        assert set(ids.values()) == {1}
        stores.assert_same(self.store, self.quiet)
        checked = run("verify", "--deep", self.store)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        shutil.rmtree(self.store)
        self.stores += 1

    def go(self, tries: int) -> None:
        """Kill so many times, and end with a store that is whole."""
        ended = run("extract", self.videos, "-o", self.quiet, *FLAGS)
        assert ended.returncode == 0, ended.stderr
        while self.kills.total() < tries:
            self.one_run()
            print(f"\r{self.kills.total()} of {tries} kills", end="", file=sys.stderr, flush=True)
        if self.store.exists():
            before = journalled(self.store)
            driver = self.start()
            assert driver.wait(120) == 0
            self._count({event["id"] for event in self.events() if not event["resumed"]} & before)
            self._finish()
        print(file=sys.stderr)


def main() -> None:
    """Torture, and say what came of it; an assertion that fails ends it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=60, help="kills")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mgmtool-torture-") as folder:
        torture = Torture(Path(folder), random.Random(arguments.seed))
        torture.go(arguments.tries)
    kinds = ", ".join(f"{count} {way}" for way, count in sorted(torture.kills.items()))
    print(f"{torture.kills.total()} kills ({kinds}): {torture.stores} stores, all with the bytes of a quiet run")
    print(
        f"finished videos done again: {torture.again} in all, at most {torture.worst} after a kill ({WORKERS} workers)"
    )
    for name, test in CASES.items():
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *test],
            cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        print(f"{name}: {(ended.stdout.strip() or ended.stderr.strip()).splitlines()[-1]}")
        if ended.returncode:
            print(ended.stdout)
            sys.exit(1)
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
