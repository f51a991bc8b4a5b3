"""Two drivers on one store: one part has one writer, whoever dies; what the other has committed is never touched."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mgmtool import files
from mgmtool.errors import PartCommittedError, StoreBusyError
from mgmtool.files import Locks
from mgmtool.store import Store, verify
from mgmtool.store.layout import RUNS
from mgmtool.types import Shard
from support import stores
from support.stores import open_writer, write_part

needs_owner_locks = pytest.mark.skipif(
    not hasattr(files.fcntl, "F_OFD_SETLK"), reason="without locks of open files, one process never excludes itself"
)

OTHER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from support import stores
from mgmtool.types import Shard
writer = stores.open_writer(Path(sys.argv[1]))
{action}
print("ready", flush=True)
sys.stdin.read()
"""
WRITES = """
part = writer.part(1)
part.append(stores.make_volume(4))
part.end_video(stores.done("b.mp4", 4, 1))
"""
RUN_OF_SHARD = "held = writer.hold(Shard(1, 4)); held.__enter__()"
MOVED = "part = writer.part(1); Path(sys.argv[1], 'part-00001', 'mask').mkdir(parents=True)"


@contextmanager
def another_process(store: Path, action: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has done something with the store, and goes on when its stdin ends."""
    code = OTHER.format(tests=str(Path(__file__).parents[1]), action=action)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code, str(store)], **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store whose part 0 is committed."""
    write_part(open_writer(tmp_path / "m.zarr"), 0, {"a.mp4": 5})
    return tmp_path / "m.zarr"


@needs_owner_locks
def test_a_part_has_one_writer_even_in_one_process(store: Path) -> None:
    one, other = open_writer(store), open_writer(store)
    with one.part(1):
        with pytest.raises(StoreBusyError, match=rf"another run is writing part 1 of {store}; wait for it to end"):
            other.part(1)
        write_part(other, 2, {"c.mp4": 3})
    write_part(other, 1, {"b.mp4": 3})
    assert Store.open(store).index["id"].to_pylist() == ["a.mp4", "b.mp4", "c.mp4"]


def test_another_process_is_excluded_until_it_is_killed(store: Path) -> None:
    writer = open_writer(store)
    with another_process(store, WRITES) as process:
        with pytest.raises(StoreBusyError) as caught:
            writer.part(1)
        assert not isinstance(caught.value, PartCommittedError)
        (growing,) = (store / ".writing" / "part-00001").iterdir()
        open_writer(store)
        assert growing.is_dir(), "whoever has the lock of a part has its folder"
        write_part(writer, 2, {"c.mp4": 3})
        process.kill()
        process.wait()
    write_part(open_writer(store), 1, {"b.mp4": 4})
    assert stores.visible(store) == ["index", "part-00000", "part-00001", "part-00002", "zarr.json"]
    assert [f for f in verify(store) if f.kind != "index"] == []


def test_a_part_folder_whose_writer_lives_is_no_litter(store: Path) -> None:
    with another_process(store, MOVED) as process:
        open_writer(store)
        assert (store / "part-00001" / "mask").is_dir()
        process.kill()
        process.wait()
    open_writer(store)
    assert not (store / "part-00001").exists()


def test_a_part_that_was_committed_meanwhile_is_left_as_it_is(store: Path) -> None:
    late = open_writer(store)
    write_part(open_writer(store), 1, {"b.mp4": 4})
    before = stores.array_files(store), stores.index_tables(store)
    with pytest.raises(PartCommittedError, match=r"part 1 of .* was committed by another run meanwhile"):
        late.part(1)
    assert (stores.array_files(store), stores.index_tables(store)) == before
    assert ".writing" not in stores.visible(store)
    write_part(late, 2, {"c.mp4": 4})


@needs_owner_locks
def test_each_shard_has_one_run(store: Path) -> None:
    one, other = open_writer(store), open_writer(store)
    with one.hold(Shard(1, 4)):
        for shard in (Shard(0, 4), Shard(1, 3), Shard(0, 1)):
            with other.hold(shard):
                pass
        with pytest.raises(StoreBusyError, match=r"another run is writing .*give each run its own --shard"):
            other.hold(Shard(1, 4)).__enter__()
    with other.hold(Shard(1, 4)):
        pass


def test_the_run_of_a_killed_process_is_free(store: Path) -> None:
    writer = open_writer(store)
    with another_process(store, RUN_OF_SHARD) as process:
        with pytest.raises(StoreBusyError):
            writer.hold(Shard(1, 4)).__enter__()
        process.kill()
        process.wait()
    with writer.hold(Shard(1, 4)):
        pass


def test_a_run_that_broke_off_gives_its_lock_back(store: Path) -> None:
    writer = open_writer(store)
    with pytest.raises(KeyError), writer.hold(Shard()):
        raise KeyError
    with pytest.raises(KeyError), writer.part(1):
        raise KeyError
    with open_writer(store).hold(Shard()):
        write_part(open_writer(store), 1, {"b.mp4": 1})


@needs_owner_locks
def test_who_holds_what_can_be_asked_without_writing(tmp_path: Path) -> None:
    mine, asking = Locks(tmp_path / ".lock"), Locks(tmp_path / ".lock")
    assert not asking.held(0, 0)
    assert list(tmp_path.iterdir()) == []
    assert mine.take(3)
    assert [asking.held(number, 1) for number in (2, 3, 4)] == [False, True, False]
    assert not asking.held(RUNS, 0)
    assert mine.take(RUNS + 5)
    assert asking.held(RUNS, 0)
    mine.close()
    assert not asking.held(0, 0)


def test_locks_are_pickled_without_what_they_hold(tmp_path: Path) -> None:
    mine = Locks(tmp_path / ".lock")
    assert mine.take(3)
    copy = pickle.loads(pickle.dumps(mine))
    assert copy.take(4)
    copy.close()
    mine.close()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_without_locks_the_record_decides(store: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.fcntl, "fcntl", refuse)
    monkeypatch.setattr(files.fcntl, "lockf", refuse)
    late = open_writer(store)
    write_part(open_writer(store), 1, {"b.mp4": 4})
    with pytest.raises(PartCommittedError):
        late.part(1)
    assert Store.open(store).index["id"].to_pylist() == ["a.mp4", "b.mp4"]
