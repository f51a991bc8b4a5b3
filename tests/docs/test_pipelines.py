"""The recipes of ``docs/pipelines.md``, run as they stand there, in a folder of tiny films."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mgmtool.extraction import extract
from mgmtool.store import open_store
from mgmtool.types import ExtractSpec
from support import tiny_videos

PAGE = Path(__file__).parents[2] / "docs" / "pipelines.md"
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
IDS = ["running/a clip.mp4", "running/broken.mp4", "walking/0.mp4", "walking/1.mp4"]
FAILED = "running/broken.mp4"

Ran = subprocess.CompletedProcess[str]


def recipes() -> dict[str, tuple[str, str]]:
    """Language and text of the recipe under each heading."""
    found = {title: BLOCK.findall(text) for title, text in SECTION.findall(PAGE.read_text("utf-8"))}
    assert {title: len(blocks) for title, blocks in found.items()} == dict.fromkeys(found, 1)
    return {title: blocks[0] for title, blocks in found.items()}


def ids(store: Path) -> list[str]:
    return [str(name) for name in open_store(store).index["id"].to_pylist()]


def check_store(folder: Path, ran: Ran) -> None:
    assert ids(folder / "masks.zarr") == IDS


def check_find(folder: Path, ran: Ran) -> None:
    assert ids(folder / "masks.zarr") == [name for name in IDS if name != FAILED]  # which is too small


def check_exit_codes(folder: Path, ran: Ran) -> None:
    assert ran.stdout.splitlines()[-2].split()[:2] == ["open", FAILED]


def check_failed_files(folder: Path, ran: Ran) -> None:
    assert (folder / "quarantine" / "broken.mp4").exists()
    assert not (folder / "videos" / FAILED).exists()


def check_pictures(folder: Path, ran: Ran) -> None:
    assert sorted(file.name for file in (folder / "sheets").iterdir()) == ["0.mp4.png", "1.mp4.png", "a clip.mp4.png"]


def check_parallel(folder: Path, ran: Ran) -> None:
    assert ids(folder / "stores" / "walking.zarr") == ["0.mp4", "1.mp4"]
    assert ids(folder / "stores" / "running.zarr") == ["a clip.mp4", "broken.mp4"]


def check_events(folder: Path, ran: Ran) -> None:
    assert ran.stdout.split("\t")[:2] == ["open", FAILED]
    assert len((folder / "events.jsonl").read_text().splitlines()) == 7  # start, four videos, a part, the summary


def check_slowest(folder: Path, ran: Ran) -> None:
    assert ran.stdout.splitlines() == ["3.5 s  b.mp4", "0.5 s  a.mp4"]


def check_reencoded(folder: Path, ran: Ran) -> None:
    assert ran.stdout == "vp9\trunning/a clip.mp4\n"


def check_doctor(folder: Path, ran: Ran) -> None:
    report = json.loads(
        subprocess.run(["mgmtool", "doctor", "--json"], capture_output=True, cwd=folder, check=True).stdout
    )
    wrong = [check["name"] for check in report["checks"] if check["state"] != "ok"]
    assert [line.split(": ")[1].split(",")[0] for line in ran.stdout.splitlines()] == wrong


def check_sample(folder: Path, ran: Ran) -> None:
    assert len(ids(folder / "sample.zarr")) == 2


def check_make(folder: Path, ran: Ran) -> None:
    assert ids(folder / "masks.zarr") == [FAILED, "walking/0.mp4", "walking/1.mp4"]
    assert (folder / "shards" / "masks-000000.tar").exists()
    again = subprocess.run(["make", "shards/.done"], cwd=folder, capture_output=True, text=True, check=True)
    assert again.stdout == "make: 'shards/.done' is up to date.\n"


def check_slurm(folder: Path, ran: Ran) -> None:
    assert ids(folder / "masks.zarr") == IDS
    assert sorted(file.name for file in (folder / "logs").iterdir()) == ["0.log", "1.log"]


def check_cron(folder: Path, ran: Ran) -> None:
    assert ids(folder / "corpus" / "masks.zarr") == [name for name in IDS if name != FAILED]
    assert (ran.stdout, ran.stderr) == ("", "")


def check_machine(folder: Path, ran: Ran) -> None:
    assert json.loads(ran.stdout)["done"] == 3


def check_copy(folder: Path, ran: Ran) -> None:
    assert ids(folder / "backup" / "masks.zarr") == IDS


def check_shards(folder: Path, ran: Ran) -> None:
    assert ran.stdout == "3\n"


@dataclass(frozen=True)
class Recipe:
    """How a recipe is run, and what it must have done.

    Attributes
    ----------
    check : callable
        Gets the folder and what was printed.
    programs : tuple of str
        Programs it is about; where one is missing, the recipe is left out.
    store : bool
        Whether it begins with a mask store of all videos.
    code : int
        Its exit code.
    """

    check: Callable[[Path, Ran], None]
    programs: tuple[str, ...] = ()
    store: bool = False
    code: int = 0


RECIPES = {
    "find": Recipe(check_find, ("find",)),
    "Exit codes in a script": Recipe(check_exit_codes),
    "Files that failed": Recipe(check_failed_files, ("xargs",), store=True),
    "A contact sheet of every video, several at a time": Recipe(check_pictures, ("find", "xargs"), store=True),
    "GNU parallel: a store for every folder": Recipe(check_parallel, ("parallel", "find"), code=1),  # 1 job failed
    "jq: events while it runs": Recipe(check_events, ("jq",), code=3),
    "jq: what took long": Recipe(check_slowest, ("jq",)),
    "jq: what would be re-encoded": Recipe(check_reencoded, ("jq",), code=3),
    "jq: a list, made smaller": Recipe(check_store, ("jq",), code=3),
    "jq: what is missing on this machine": Recipe(check_doctor, ("jq",)),
    "A shuffled sample": Recipe(check_sample, ("shuf",)),
    "make": Recipe(check_make, ("make",)),
    "Slurm": Recipe(check_slurm),
    "cron": Recipe(check_cron, ("flock",)),
    "Another machine": Recipe(check_machine, ("jq",), code=3),
    "A copy": Recipe(check_copy, ("rsync",), store=True),
    "Shards into another program": Recipe(check_shards, ("tar",), store=True),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Videos, one of which is none, and a program that is called mgmtool."""
    tiny_videos.write_clips(tmp_path / "videos" / "walking", 2)
    (tmp_path / "videos" / "running").mkdir()
    (tmp_path / "videos" / "running" / "a clip.mp4").write_bytes(tiny_videos.clip(12, 1, "libvpx-vp9"))
    (tmp_path / "videos" / FAILED).write_text("not a video\n")
    program(
        tmp_path / "bin" / "mgmtool",
        f'#!{sys.executable}\nfrom mgmtool.cli import main\n\nif __name__ == "__main__":\n    main()\n',
    )
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MGMTOOL_EXTRACT_SCHEME", "tube")  # the quickest, as is one process
    monkeypatch.setenv("MGMTOOL_EXTRACT_ENGINE", "inline")
    monkeypatch.setenv("MGMTOOL_PROBE_ENGINE", "inline")
    return tmp_path


def program(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)


def prepare(title: str, folder: Path, text: str) -> str:
    """Put there what a recipe takes for granted, and return what a shell is to run."""
    if title == "jq: what took long":
        events = [
            {"event": "start"},
            *({"event": "video", "id": i, "seconds": s} for i, s in (("a.mp4", 0.5), ("b.mp4", 3.5))),
        ]
        (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    elif title == "make":
        (folder / "videos" / "running" / "a clip.mp4").unlink()
        (folder / "Makefile").write_text(text)
        return "make shards/.done"
    elif title == "Slurm":
        (folder / "job").write_text(text)
        tasks = "SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=1 SLURM_ARRAY_TASK_STEP=1"
        run = f"for task in 0 1; do {tasks} SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$task bash job; done"
        return f"mgmtool list videos -o corpus.csv; {run}; mgmtool index masks.zarr"
    elif title.startswith("GNU parallel"):
        return f"unset MGMTOOL_EXTRACT_ENGINE; {text}"  # its --workers are for processes
    elif title == "cron":
        (folder / "corpus").mkdir()
        (folder / "videos").rename(folder / "corpus" / "videos")
        (folder / "corpus" / "videos" / FAILED).unlink()
        return text.split(maxsplit=5)[5]
    elif title == "Another machine":
        program(folder / "bin" / "ssh", '#!/bin/sh\nshift\nexec sh -c "$*"\n')
        return text.replace("/data", str(folder))
    return text


@pytest.mark.parametrize("title", list(RECIPES))
def test_recipe(title: str, folder: Path) -> None:
    recipe = RECIPES[title]
    missing = [name for name in recipe.programs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed")
    if recipe.store:
        spec = ExtractSpec(scheme="tube")
        assert len(list(extract([str(folder / "videos")], folder / "masks.zarr", spec, "inline"))) == 4
    command = prepare(title, folder, recipes()[title][1])
    shell = ["bash", "-o", "pipefail", "-eu", "-c", command]
    ran = subprocess.run(shell, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == recipe.code, ran.stdout + ran.stderr
    recipe.check(folder, ran)


def test_every_recipe_is_run() -> None:
    assert set(recipes()) == set(RECIPES)
