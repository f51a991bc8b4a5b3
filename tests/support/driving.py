"""The command line as a process of its own, watched from outside."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

import mgmtool.engines

TESTS = Path(__file__).parents[1]
PROGRAM = [
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {str(TESTS)!r}); from support import driving; driving.plug_in(); "
    "from mgmtool.cli import main; main()",
]


def plug_in() -> None:
    """Add the engines of ``tests/support/plugged``: a plug-in is a file in the folder of its family."""
    mgmtool.engines.__path__.append(str(Path(__file__).parent / "plugged"))


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start the command, its messages to be read with ``communicate``."""
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)


def verify(store: Path) -> None:
    """Have the store checked down to its checksums."""
    ended = run("verify", "--deep", store)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
    return found


def family(driver: subprocess.Popen[str]) -> list[psutil.Process]:
    """A driver and all that it has started."""
    with suppress(psutil.Error):
        parent = psutil.Process(driver.pid)
        return [parent, *parent.children(recursive=True)]
    return []


def workers(driver: subprocess.Popen[str]) -> list[psutil.Process]:
    """The workers of a driver: grandchildren, through the fork server."""
    return [process for process in family(driver)[1:] if _parent(process) not in {None, driver.pid}]


def _parent(process: psutil.Process) -> int | None:
    with suppress(psutil.Error):
        return int(process.ppid())
    return None


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all of them have ended."""
    return not any(map(_lives, processes))


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def records(store: Path) -> list[Path]:
    """Commit records of a store."""
    return sorted((store / "index").glob("part-*.parquet"))
