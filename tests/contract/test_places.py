"""What every place does, wherever it lies. A new kind of place is a class here that says how to make one."""

from __future__ import annotations

import logging
import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from mgmtool.errors import UsageError
from mgmtool.storage import GROWING, Place, place
from mgmtool.storage.filesystems import filesystem

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of libraries that moto loads
    from moto.server import ThreadedMotoServer


class PlaceTests:
    """The contract. Subclasses give ``where``: a path or URL of which nothing exists yet."""

    @pytest.fixture
    def where(self, tmp_path: Path) -> str:
        raise NotImplementedError

    @pytest.fixture
    def here(self, where: str) -> Place:
        return place(where)

    def test_nothing_is_made_by_asking(self, here: Place, where: str) -> None:
        assert not here.exists()
        assert not here.is_file()
        assert (here.names(), here.sizes(), here.held(0, 0)) == ([], {}, False)
        assert not place(where).exists()

    def test_what_is_written_is_read(self, here: Place, where: str) -> None:
        content = bytes(range(256)) * 300
        here.write("a.bin", content)
        here.write("below/b/c.bin", b"")
        assert here.read("a.bin") == place(where).read("a.bin") == content
        assert here.read("below/b/c.bin") == b""
        here.write("a.bin", b"new")
        assert here.read("a.bin") == b"new"
        assert here.sizes() == {"a.bin": 3, "below/b/c.bin": 0}

    @pytest.mark.parametrize("name", ["none", "folder/none", "file/none"])
    def test_what_is_not_there_cannot_be_read(self, here: Place, name: str) -> None:
        here.write("file", b"x")
        with pytest.raises((FileNotFoundError, NotADirectoryError)):
            here.read(name)
        with pytest.raises((FileNotFoundError, NotADirectoryError)):
            list(here.read_many(["file", name]))

    def test_many_files_come_in_the_order_asked_for(self, here: Place) -> None:
        for number in range(40):
            here.write(f"many/{number}", str(number).encode())
        wanted = [(7 * number) % 40 for number in range(80)]
        assert [int(content) for content in here.read_many([f"many/{n}" for n in wanted])] == wanted
        assert list(here.read_many([])) == []

    def test_files_and_folders_exist(self, here: Place) -> None:
        here.write("folder/file", b"x")
        names = ("", "folder", "folder/file", "folder/none", "none", "fold", "folder/file/below")
        assert [here.exists(name) for name in names] == [True, True, True, False, False, False, False]
        assert [here.is_file(name) for name in names] == [False, False, True, False, False, False, False]

    def test_names_are_sorted_and_of_one_folder(self, here: Place) -> None:
        for name in ("b/x", "b/y/z", "a", ".hidden", "c"):
            here.write(name, b"x")
        assert here.names() == [".hidden", "a", "b", "c"]
        assert here.names("b") == ["x", "y"]
        assert here.names("none") == []

    def test_a_folder_that_was_made_is_empty(self, here: Place) -> None:
        here.make_folder("folder")
        here.make_folder("folder")
        assert (here.names("folder"), here.sizes()) == ([], {})

    def test_sizes_are_relative_to_their_folder(self, here: Place) -> None:
        here.write("ab/x", b"123")
        here.write("ab/y/z", b"1")
        here.write("abc", b"12")
        assert here.sizes("ab") == {"x": 3, "y/z": 1}
        assert here.sizes() == {"ab/x": 3, "ab/y/z": 1, "abc": 2}
        assert here.sizes("none") == {}

    def test_create_never_replaces(self, here: Place) -> None:
        here.create("index/record", b"first")
        with pytest.raises(FileExistsError):
            here.create("index/record", b"other")
        here.create("index/record", b"first")  # the same again, whose answer may have got lost
        assert here.read("index/record") == b"first"
        assert here.names("index") == ["record"]

    def test_deleted_files_are_gone_and_others_stay(self, here: Place) -> None:
        for name in ("a", "b/c", "b/d"):
            here.write(name, b"x")
        here.delete(["a", "b/c", "none", "b/none"])
        here.delete([])
        assert here.sizes() == {"b/d": 1}
        here.delete(["b"])
        assert here.sizes() == {"b/d": 1}, "a folder that holds something stays"
        here.delete(["b/d"])
        here.delete(["b"])
        assert here.names() == []

    def test_a_removed_folder_is_gone_with_all_below(self, here: Place) -> None:
        for name in ("ab/x", "ab/y/z", "abc", "other/x"):
            here.write(name, b"x")
        here.remove("ab")
        here.remove("none")
        assert here.names() == ["abc", "other"]
        here.remove()
        assert not here.exists()
        here.remove()

    def test_what_grows_is_unseen_until_it_is_adopted(self, here: Place) -> None:
        here.write("old/stale", b"x")
        grown = here.grow("part")
        (grown / "below").mkdir(parents=True)
        (grown / "below/a").write_bytes(b"123")
        (grown / "b").write_bytes(b"")
        assert not here.exists("part")
        assert [name for name in here.names() if name != GROWING] == ["old"]
        here.adopt(grown, "part")
        assert here.sizes("part") == {"b": 0, "below/a": 3}
        here.drop(grown)
        assert not grown.exists()
        assert here.names() == ["old", "part"]
        assert here.read("part/below/a") == b"123"

    def test_adopting_replaces_what_was_there(self, here: Place) -> None:
        here.write("part/stale/x", b"x")
        here.write("part/a", b"longer than before")
        grown = here.grow("part")
        (grown / "a").write_bytes(b"new")
        here.adopt(grown, "part")
        here.drop(grown)
        assert here.sizes("part") == {"a": 3}
        assert here.read("part/a") == b"new"

    def test_what_is_dropped_leaves_nothing(self, here: Place) -> None:
        here.write("x", b"x")
        grown = here.grow("part")
        (grown / "below").mkdir(parents=True)
        here.drop(grown)
        here.drop(grown)
        assert not grown.exists()
        assert here.names() == ["x"]

    def test_grown_folders_start_empty(self, here: Place) -> None:
        grown = here.grow("part")
        (grown / "half").write_bytes(b"x")
        again = here.grow("part")
        assert list(again.iterdir()) == []
        for folder in (grown, again):
            here.drop(folder)

    def test_locks_exclude_or_are_granted(self, here: Place, where: str) -> None:
        here.write("x", b"x")
        other = place(where)
        assert here.lock(3)
        assert other.lock(3) == (not here.excludes)
        assert [other.held(number) for number in (2, 3, 4)] == [False, here.excludes, False]
        assert (other.held(3, 0), other.held(4, 0)) == (here.excludes, False)
        assert other.lock(4)
        here.unlock(3)
        assert other.lock(3)
        for number in (3, 4):
            other.unlock(number)
        assert not here.held(0, 0)

    def test_copies_are_the_same_place(self, here: Place, where: str) -> None:
        assert len(pickle.dumps(here)) < 1000
        here.write("x", b"x")
        assert here.lock(1)
        copy = pickle.loads(pickle.dumps(here))
        assert (copy.name, copy.address, copy.options) == (here.name, here.address, here.options)
        assert copy.identity() == here.identity() == place(where).identity()
        assert copy.read("x") == b"x"
        here.unlock(1)

    def test_address_and_options_are_what_other_libraries_take(self, here: Place) -> None:
        here.write("folder/x", b"x")
        system, path = fsspec.core.url_to_fs(here.address, **here.options)
        assert system.cat_file(f"{path}/folder/x") == b"x"

    def test_names_are_whatever_they_are(self, here: Place) -> None:
        names = ["a b", "é", "100%", "q=1&x"]
        for name in names:
            here.write(f"odd/{name}", name.encode())
        assert here.names("odd") == sorted(names)
        assert [content.decode() for content in here.read_many([f"odd/{name}" for name in names])] == names


class TestFolder(PlaceTests):
    @pytest.fixture
    def where(self, tmp_path: Path) -> str:
        return str(tmp_path / "above" / "place")

    def test_a_file_url_is_the_same_folder(self, here: Place, where: str) -> None:
        assert place(f"file://{where}").address == place(Path(where)).address == here.address == where

    def test_a_relative_path_stays_where_it_was(
        self, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place(where).write("x", b"x")
        monkeypatch.chdir(tmp_path / "above")
        here = place("place")
        monkeypatch.chdir(tmp_path)
        assert here.name == "place"
        assert here.read("x") == pickle.loads(pickle.dumps(here)).read("x") == b"x"

    def test_links_lead_to_one_identity(self, tmp_path: Path, here: Place, where: str) -> None:
        here.write("x", b"x")
        (tmp_path / "link").symlink_to(where)
        assert place(tmp_path / "link").identity() == here.identity()

    def test_a_failed_write_keeps_the_old_file(self, here: Place, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
        here.write("x", b"old")

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", full)
            for write in (here.write, here.create):
                with pytest.raises(OSError, match="No space left"):
                    write("x", b"new")
        assert here.sizes() == {"x": 3}

    def test_storage_options_are_for_urls(self, where: str) -> None:
        with pytest.raises(UsageError, match=r"storage_options given for the local path '.*place'"):
            place(where, {"anon": True})


class ObjectStoreTests(PlaceTests):
    def test_scratch_is_where_things_grow(self, where: str, tmp_path: Path) -> None:
        here = place(where, scratch=str(tmp_path))
        grown = pickle.loads(pickle.dumps(here)).grow("part")
        assert grown.parent == tmp_path
        here.drop(grown)
        assert list(tmp_path.iterdir()) == []

    def test_a_slash_at_the_end_is_no_part_of_the_name(self, here: Place, where: str) -> None:
        assert place(f"{where}/").name == here.name


class TestMemory(ObjectStoreTests):
    @pytest.fixture
    def where(self, tmp_path: Path) -> Iterator[str]:
        yield "memory://above/place"
        system: Any = fsspec.filesystem("memory")
        system.store.clear()
        system.pseudo_dirs[:] = [""]


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """An S3 on this machine, as the environment says."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "nobody")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        fsspec.filesystem("s3", skip_instance_cache=True).mkdir("places")
        yield "s3://places"
        fsspec.get_filesystem_class("s3").clear_instance_cache()
    server.stop()


class TestS3(ObjectStoreTests):
    @pytest.fixture
    def where(self, bucket: str, request: pytest.FixtureRequest) -> str:
        return f"{bucket}/{abs(hash(request.node.nodeid))}"


def test_urls_that_nothing_can_open_are_refused_at_once() -> None:
    with pytest.raises(UsageError, match="nothing://x/y cannot be opened"):
        place("nothing://x/y")


def test_secrets_of_a_url_are_in_no_name() -> None:
    here = place("https://user:word@host.org/a/m.zarr?Signature=5ec2e7")
    assert here.name == "https://host.org/a/m.zarr"
    assert filesystem(here.address)[1].startswith("https://user:word@")
