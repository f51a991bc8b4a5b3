"""The same masks wherever a store lies, whatever keeps it in memory, and whichever process asks."""

from __future__ import annotations

import asyncio
import functools
import http.server
import importlib.util
import multiprocessing
import os
import pickle
import re
import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import zarr

import mgmtool
from mgmtool import Clip, MaskStore, TokenMask
from mgmtool.errors import StoreError, UsageError
from mgmtool.storage import place, retries
from mgmtool.store import Arrays, arrays
from mgmtool.store._loop import wait_for
from support import loading, stores
from support.loading import FILMS, assert_same_masks, extract_films, some_clips

CACHES = (None, "mmap", "ram")

every_cache = pytest.mark.parametrize("cache", CACHES, ids=["disk", "mmap", "ram"])


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return loading.write_films(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="module")
def path(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of three parts, one video failed; nobody changes it."""
    return extract_films(films, tmp_path_factory.mktemp("store") / "m.zarr")


@pytest.fixture(scope="module")
def clips(path: Path) -> list[Clip]:
    return some_clips(mgmtool.open_store(path))


@pytest.fixture(scope="module")
def expected(path: Path, clips: list[Clip]) -> list[TokenMask]:
    return mgmtool.open_store(path).batch(clips)


def files_of(folder: Path) -> dict[str, int]:
    """Files of a cache and when they were written."""
    return {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}


# Caches.


@every_cache
@pytest.mark.parametrize("energy", [True, False], ids=["energy", "boxes"])
def test_every_cache_gives_the_same_masks(films: Path, tmp_path: Path, cache: str | None, energy: bool) -> None:
    store = extract_films(films, tmp_path / "m.zarr", energy=energy)
    plain = mgmtool.open_store(store)
    opened = mgmtool.open_store(store, cache, cache_folder=tmp_path / "cache")
    clips = some_clips(plain, 20)
    for scheme in ("motion-guided", "random"):
        assert_same_masks(opened.batch(clips, scheme=scheme), plain.batch(clips, scheme=scheme))


def test_unknown_cache_is_refused(path: Path) -> None:
    with pytest.raises(UsageError, match=r"cache is 'disk'; expected None, 'mmap' or 'ram'"):
        mgmtool.open_store(path, "disk")


def test_ram_reads_nothing_after_preload(
    path: Path, tmp_path: Path, clips: list[Clip], expected: list[TokenMask]
) -> None:
    copy = shutil.copytree(path, tmp_path / "m.zarr")
    store = mgmtool.open_store(copy, "ram")
    store.preload()
    shutil.rmtree(copy)
    assert_same_masks(store.batch(clips), expected)


@every_cache
def test_preload_changes_no_mask(
    path: Path, tmp_path: Path, clips: list[Clip], expected: list[TokenMask], cache: str | None
) -> None:
    store = mgmtool.open_store(path, cache, cache_folder=tmp_path)
    store.preload()
    assert_same_masks(store.batch(clips), expected)


def test_mmap_unpacks_what_clips_need_once(path: Path, tmp_path: Path, clips: list[Clip]) -> None:
    mgmtool.open_store(path, "mmap", cache_folder=tmp_path / "cache").batch(clips)
    before = files_of(tmp_path / "cache")
    assert sorted(name.split(".", 1)[1] for name in before) == sorted(
        ["energy.npy", "energy_scale.npy", "flags.npy"] * 3
    )
    store = mgmtool.open_store(path, "mmap", cache_folder=tmp_path / "cache")
    store.preload()
    store.batch(clips)
    assert store["a/0.mp4"].mask.any()
    assert files_of(tmp_path / "cache") == before


def test_mmap_files_are_used_and_only_whole_ones(
    path: Path, tmp_path: Path, clips: list[Clip], expected: list[TokenMask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file gets its name once it is whole; the array of another reader is taken as it is."""
    cache = tmp_path / "cache"
    saved: list[list[str]] = []

    def save(file: Path, array: Any, **options: Any) -> None:
        saved.append([file.name for file in cache.iterdir() if file.name[0] != "."])
        assert file.name.startswith(".")
        real(file, array, **options)

    real = np.save
    with monkeypatch.context() as patch:
        patch.setattr(arrays.np, "save", save)
        mgmtool.open_store(path, "mmap", cache_folder=cache).batch(clips)
    assert [len(names) for names in saved] == list(range(9))
    assert not [file for file in cache.iterdir() if file.name[0] == "."]
    for file in cache.glob("*.energy.npy"):
        np.save(file, np.zeros_like(np.load(file)))
    blind = mgmtool.open_store(path, "mmap", cache_folder=cache).batch(clips)
    assert all(mask.fallback.all() for mask in blind)
    assert not all(mask.fallback.all() for mask in expected)


def test_failed_write_leaves_no_file(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(file: Path, *_: Any, **__: Any) -> None:
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(arrays.np, "save", save)
    store = mgmtool.open_store(path, "mmap", cache_folder=tmp_path / "cache")
    with pytest.raises(StoreError, match=r"^cannot write the cache .*energy\.npy: No space left on device$"):
        store.clip("a/0.mp4", [0, 1])
    assert list((tmp_path / "cache").iterdir()) == []


def test_rewritten_store_is_not_served_from_the_old_cache(films: Path, tmp_path: Path) -> None:
    """The same names, sizes and times of the films; only the masks differ."""
    cache = tmp_path / "cache"
    path = extract_films(films, tmp_path / "m.zarr")
    frames = range(40)
    before = mgmtool.open_store(path, "mmap", cache_folder=cache).clip("a/0.mp4", frames, ratio=0.25)
    shutil.rmtree(path)
    extract_films(films, path, scheme="motion-literal")
    fresh = mgmtool.open_store(path).clip("a/0.mp4", frames, ratio=0.25)
    assert_same_masks(
        [mgmtool.open_store(path, "mmap", cache_folder=cache).clip("a/0.mp4", frames, ratio=0.25)], [fresh]
    )
    assert (fresh.mask != before.mask).any()


def test_cache_folder_that_cannot_be_written_is_one_line(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    store = mgmtool.open_store(path, "mmap", cache_folder=tmp_path / "file" / "cache")
    with pytest.raises(
        StoreError, match=r"^cannot write the cache .*/file/cache/.*\.npy: (Not a directory|File exists)$"
    ):
        store.clip("a/0.mp4", [0, 1])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_cache_folder_without_permission_is_one_line(path: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match=r"^cannot write the cache .*: Permission denied$"):
            mgmtool.open_store(path, "mmap", cache_folder=tmp_path / "cache").clip("a/0.mp4", [0, 1])
    finally:
        tmp_path.chmod(0o700)


def test_damaged_cache_is_one_line(path: Path, tmp_path: Path) -> None:
    mgmtool.open_store(path, "mmap", cache_folder=tmp_path).preload()
    for file in tmp_path.glob("*.energy.npy"):
        file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(StoreError, match=r"^cannot read the cache .*energy\.npy: .*; it may be deleted$"):
        mgmtool.open_store(path, "mmap", cache_folder=tmp_path).clip("a/0.mp4", [0, 1])


def test_default_cache_folder(path: Path, tmp_path: Path, clips: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    mgmtool.open_store(path, "mmap").batch(clips)
    assert len(files_of(tmp_path / "mgmtool")) == 9


@pytest.mark.parametrize("cache", [None, "mmap"])
def test_few_parts_stay_open(
    path: Path,
    tmp_path: Path,
    clips: list[Clip],
    expected: list[TokenMask],
    cache: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(arrays._OPEN_PARTS, cache, 1)
    store = mgmtool.open_store(path, cache, cache_folder=tmp_path)
    assert_same_masks(store.batch(clips), expected)
    assert len(store.arrays._parts) == 1


def test_threads_get_the_same_masks(path: Path, clips: list[Clip], expected: list[TokenMask]) -> None:
    store = mgmtool.open_store(path)
    with ThreadPoolExecutor(4) as pool:
        found = [masks[0] for masks in pool.map(store.batch, [[clip] for clip in clips * 4])]
    assert_same_masks(found, expected * 4)


# Processes.


@every_cache
@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used"])
def test_a_pickled_store_is_small_and_the_same(
    path: Path, tmp_path: Path, clips: list[Clip], expected: list[TokenMask], cache: str | None, used: bool
) -> None:
    store = mgmtool.open_store(path, cache, cache_folder=tmp_path)
    if used:
        store.preload()
        store.batch(clips)
    pickled = pickle.dumps(store)
    assert len(pickled) < 5000
    assert_same_masks(pickle.loads(pickled).batch(clips), expected)


def test_nothing_is_open_before_the_first_use(path: Path) -> None:
    store = mgmtool.open_store(path)
    assert store.arrays._root is None
    assert store.arrays._parts == {}
    assert "videos" not in vars(store)


def masks_of(store: MaskStore, clips: list[Clip]) -> list[TokenMask]:
    """Work of a child process."""
    return store.batch(clips)


@every_cache
@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used"])
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_processes_get_the_same_masks(
    path: Path,
    tmp_path: Path,
    clips: list[Clip],
    expected: list[TokenMask],
    cache: str | None,
    used: bool,
    start: str,
) -> None:
    store = mgmtool.open_store(path, cache, cache_folder=tmp_path)
    if used:
        assert_same_masks(store.batch(clips), expected)
    for found in in_children(store, clips, start):
        assert_same_masks(found, expected)
    assert_same_masks(store.batch(clips), expected)


def in_children(store: MaskStore, clips: list[Clip], start: str, children: int = 2) -> list[list[TokenMask]]:
    """Masks that child processes make; a forked child finds the store as it is, a spawned one gets it pickled."""
    if start == "spawn":
        return [job.result(60) for job in [pool.submit(masks_of, store, clips) for pool in spawned()[:children]]]
    context: Any = multiprocessing.get_context(start)
    pipes = [context.Pipe(duplex=False) for _ in range(children)]
    with warnings.catch_warnings():
        # Python 3.12 warns of any fork beside threads; those of zarr and fsspec hold nothing while the store is not in use.
        warnings.filterwarnings("ignore", ".*use of fork", DeprecationWarning)
        processes = [context.Process(target=send_masks, args=(pipe, store, clips)) for _, pipe in pipes]
        for process in processes:
            process.start()
    for _, pipe in pipes:
        pipe.close()
    found = [pipe.recv() if pipe.poll(60) else None for pipe, _ in pipes]
    for process in processes:
        process.join(10)
        process.kill()
        process.join()
        process.close()
    for pipe, _ in pipes:
        pipe.close()
    return found


@functools.cache
def spawned() -> list[ProcessPoolExecutor]:
    """Two processes that were spawned, not forked, and know nothing but what they get; each test has its own store."""
    return [ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) for _ in range(2)]


@pytest.fixture(scope="module", autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    if spawned.cache_info().currsize:
        for pool in spawned():
            pool.shutdown()


def send_masks(pipe: Any, store: MaskStore, clips: list[Clip]) -> None:
    pipe.send(masks_of(store, clips))
    pipe.close()


def test_another_process_uses_the_mapped_files(path: Path, tmp_path: Path, clips: list[Clip]) -> None:
    store = mgmtool.open_store(path, "mmap", cache_folder=tmp_path)
    (found,) = in_children(store, clips, "spawn", 1)
    before = files_of(tmp_path)
    assert len(before) == 9
    assert_same_masks(store.batch(clips), found)
    assert files_of(tmp_path) == before


def test_a_part_committed_later_is_seen_when_opened_again(tmp_path: Path) -> None:
    writer = stores.open_writer(tmp_path / "m.zarr")
    stores.write_part(writer, 0, {"a.mp4": 4})
    store = mgmtool.open_store(tmp_path / "m.zarr")
    assert len(store) == 1
    stores.write_part(writer, 1, {"b.mp4": 4})
    assert list(store) == ["a.mp4"]
    assert "b.mp4" not in store
    assert list(mgmtool.open_store(tmp_path / "m.zarr")) == ["a.mp4", "b.mp4"]
    assert list(pickle.loads(pickle.dumps(store))) == ["a.mp4", "b.mp4"], "another process reads the index anew"


def test_relative_path_outlives_a_change_of_folder(
    path: Path, tmp_path: Path, clips: list[Clip], expected: list[TokenMask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    store = mgmtool.open_store("m.zarr", "mmap", cache_folder="cache")
    monkeypatch.chdir(tmp_path)
    assert store.name == "m.zarr"
    assert_same_masks(store.batch(clips), expected)
    shutil.rmtree(path.parent / "cache")


# Not a store.


def test_what_is_no_store_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    zarr.create_group(str(tmp_path / "g.zarr"))
    for address, message in {
        tmp_path / "none.zarr": r"^no mask store at .*none\.zarr: no such folder$",
        tmp_path: r" is not a mask store$",
        tmp_path / "file": r" is not a mask store$",
        tmp_path / "g.zarr": r"g\.zarr is a Zarr group, but not a mask store",
        path / "part-00000": r"part-00000 is a Zarr group, but not a mask store",
    }.items():
        with pytest.raises(StoreError, match=message) as caught:
            mgmtool.open_store(address)
        assert "\n" not in str(caught.value)


@every_cache
def test_store_that_lost_a_part_or_is_damaged_is_one_line(path: Path, tmp_path: Path, cache: str | None) -> None:
    lost = shutil.copytree(path, tmp_path / "lost.zarr")
    shutil.rmtree(lost / "part-00000")
    with pytest.raises(StoreError, match=r"lost\.zarr: part-00000 has no array 'flags'$"):
        mgmtool.open_store(lost, cache, cache_folder=tmp_path / "1").clip("a/0.mp4", [0, 1])
    with pytest.raises(StoreError, match=r"the part of 'a/0\.mp4' has no array 'mask'$"):
        mgmtool.open_store(lost, cache, cache_folder=tmp_path / "1")["a/0.mp4"]
    damaged = shutil.copytree(path, tmp_path / "damaged.zarr")
    for shard in (damaged / "part-00000" / "energy" / "c").rglob("0"):
        if shard.is_file():
            shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(StoreError, match=r"damaged\.zarr cannot be read: ") as caught:
        mgmtool.open_store(damaged, cache, cache_folder=tmp_path / "2").clip("a/0.mp4", [0, 1])
    assert "\n" not in str(caught.value)


def test_failed_read_leaves_nothing_running(path: Path, tmp_path: Path) -> None:
    """No read lingers in the thread that the next one uses."""
    damaged = shutil.copytree(path, tmp_path / "m.zarr")
    (damaged / "part-00000" / "flags" / "c" / "0").write_bytes(b"")
    with pytest.raises(StoreError, match=r"m\.zarr cannot be read: "):
        mgmtool.open_store(damaged).clip("a/0.mp4", [0, 1])

    async def running() -> int:
        return len(asyncio.all_tasks()) - 1

    assert wait_for(running()) == 0


def test_storage_options_are_for_urls(path: Path) -> None:
    with pytest.raises(UsageError, match=r"storage_options given for the local path '.*m\.zarr'"):
        mgmtool.open_store(path, storage_options={"anon": True})


# URLs.


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and ranges of its files, which Python's own handler does not; remembers what was asked for."""

    protocol_version = "HTTP/1.1"
    listing, ranges = True, True
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "")) if self.ranges else None
        file = Path(self.translate_path(self.path))
        if not wanted or not file.is_file():
            return super().do_GET()
        content = file.read_bytes()
        first, last = (int(number) if number else None for number in wanted.groups())
        piece = content[-(last or 0) :] if first is None else content[first : None if last is None else last + 1]
        start = len(content) - len(piece) if first is None else first
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{start + len(piece) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(piece)))
        self.end_headers()
        self.wfile.write(piece)
        return None

    def list_directory(self, path: Any) -> Any:
        if self.listing:
            return super().list_directory(path)
        self.send_error(403)
        return None

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[str, list[str]]]]:
    """Serve folders on this machine until the test ends; returns the URL and what was asked for."""
    servers = []

    def start(folder: Path, **behaviour: bool) -> tuple[str, list[str]]:
        asked: list[str] = []
        handler = type("Handler", (Handler,), {"asked": asked, **behaviour})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}", asked

    yield start
    # zarr leaves the connections of its file systems open until the process ends.
    kind: Any = fsspec.get_filesystem_class("http")
    for system in kind._cache.values():
        if system.asynchronous and system._session is not None:
            wait_for(system._session.close())
    kind.clear_instance_cache()
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def in_memory(path: Path) -> Iterator[str]:
    """Copy the store to where fsspec keeps files in memory."""
    system = fsspec.filesystem("memory")
    system.put(str(path), "/kept/m.zarr", recursive=True)
    yield "memory://kept/m.zarr"
    system.rm("/kept", recursive=True)


@every_cache
def test_store_in_memory_gives_the_same_masks(
    in_memory: str, tmp_path: Path, clips: list[Clip], expected: list[TokenMask], cache: str | None
) -> None:
    store = mgmtool.open_store(in_memory, cache, cache_folder=tmp_path)
    assert list(store) == list(FILMS)
    assert_same_masks(store.batch(clips), expected)
    assert store["b/turned.mp4"].rotation == 90


@every_cache
def test_store_behind_http_gives_the_same_masks(
    serve: Callable[..., tuple[str, list[str]]],
    path: Path,
    tmp_path: Path,
    clips: list[Clip],
    expected: list[TokenMask],
    cache: str | None,
) -> None:
    url, _ = serve(path.parent)
    store = mgmtool.open_store(f"{url}/m.zarr/", cache, cache_folder=tmp_path)
    assert store.name == f"{url}/m.zarr"
    assert list(store) == list(FILMS)
    assert_same_masks(store.batch(clips), expected)
    assert_same_masks(pickle.loads(pickle.dumps(store)).batch(clips), expected)


def test_mapped_files_spare_the_network(
    serve: Callable[..., tuple[str, list[str]]], path: Path, tmp_path: Path, clips: list[Clip]
) -> None:
    url, asked = serve(path.parent)
    mgmtool.open_store(f"{url}/m.zarr", "mmap", cache_folder=tmp_path).batch(clips)
    assert any("/energy/c/" in name for name in asked)
    asked.clear()
    mgmtool.open_store(f"{url}/m.zarr", "mmap", cache_folder=tmp_path).batch(clips)
    assert not [name for name in asked if "/part-" in name and "/index/" not in name]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_processes_read_behind_http(
    serve: Callable[..., tuple[str, list[str]]], path: Path, clips: list[Clip], expected: list[TokenMask], start: str
) -> None:
    url, _ = serve(path.parent)
    store = mgmtool.open_store(f"{url}/m.zarr")
    assert_same_masks(store.batch(clips[:2]), expected[:2])
    for found in in_children(store, clips, start):
        assert_same_masks(found, expected)


def test_index_of_a_place_that_lists_no_folders(
    serve: Callable[..., tuple[str, list[str]]],
    path: Path,
    tmp_path: Path,
    clips: list[Clip],
    expected: list[TokenMask],
) -> None:
    url, asked = serve(path.parent, listing=False)
    store = mgmtool.open_store(f"{url}/m.zarr")
    assert list(store) == list(FILMS)
    assert "/m.zarr/index.parquet" in asked
    assert_same_masks(store.batch(clips), expected)
    bare = shutil.copytree(path, tmp_path / "m.zarr")
    (bare / "index.parquet").unlink()
    url, _ = serve(tmp_path, listing=False)
    with pytest.raises(StoreError, match=r"m\.zarr has no index: neither index/part-\*\.parquet nor index\.parquet"):
        len(mgmtool.open_store(f"{url}/m.zarr"))


def test_server_that_answers_no_range_requests_is_told(
    serve: Callable[..., tuple[str, list[str]]], path: Path, clips: list[Clip], expected: list[TokenMask]
) -> None:
    """It sends whole files; fsspec can cut them, once it keeps them."""
    url, _ = serve(path.parent, ranges=False)
    with pytest.raises(StoreError, match=r"m\.zarr cannot be read: .*; the server has to answer range requests$"):
        mgmtool.open_store(f"{url}/m.zarr").batch(clips)


def test_records_that_are_there_are_the_truth(in_memory: str) -> None:
    """As on a disk: a run that goes on has committed parts that index.parquet does not list yet."""
    system = fsspec.filesystem("memory")
    system.rm("/kept/m.zarr/index.parquet")
    assert list(mgmtool.open_store(in_memory)) == list(FILMS)
    system.pipe("/kept/m.zarr/index/.part-00009.parquet.123", b"half")
    assert list(mgmtool.open_store(in_memory)) == list(FILMS)


def test_parts_of_six_digits_come_last(tmp_path: Path) -> None:
    writer = stores.open_writer(tmp_path / "m.zarr")
    for number in (100000, 99999, 3):
        stores.write_part(writer, number, {f"{number}.mp4": 2})
    ids = ["3.mp4", "99999.mp4", "100000.mp4"]
    assert list(mgmtool.open_store(tmp_path / "m.zarr")) == ids
    assert list(mgmtool.open_store(f"file://{tmp_path}/m.zarr")) == ids


def test_rewritten_remote_store_is_not_served_from_the_old_cache(in_memory: str, films: Path, tmp_path: Path) -> None:
    before = mgmtool.open_store(in_memory, "mmap", cache_folder=tmp_path / "cache").clip(
        "a/0.mp4", range(40), ratio=0.25
    )
    system = fsspec.filesystem("memory")
    system.rm("/kept/m.zarr", recursive=True)
    other = extract_films(films, tmp_path / "m.zarr", scheme="motion-literal")
    system.put(str(other), "/kept/m.zarr", recursive=True)
    found = mgmtool.open_store(in_memory, "mmap", cache_folder=tmp_path / "cache").clip(
        "a/0.mp4", range(40), ratio=0.25
    )
    assert_same_masks([found], [mgmtool.open_store(other).clip("a/0.mp4", range(40), ratio=0.25)])
    assert (found.mask != before.mask).any()


def test_url_that_is_no_store_is_refused(
    serve: Callable[..., tuple[str, list[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pause in ("FIRST_WAIT", "JITTER"):
        monkeypatch.setattr(retries, pause, 0.0)
    url, _ = serve(tmp_path)
    zarr.create_group(str(tmp_path / "g.zarr"))
    for address, message in {
        f"{url}/none.zarr": r"none\.zarr is not a mask store$",
        f"{url}/g.zarr": r"g\.zarr is a Zarr group, but not a mask store",
        "memory://none/m.zarr": r"^memory://none/m\.zarr is not a mask store$",
        "http://127.0.0.1:9/m.zarr": r"^http://127\.0\.0\.1:9/m\.zarr cannot be read: .*127\.0\.0\.1",
    }.items():
        with pytest.raises(StoreError, match=message) as caught:
            mgmtool.open_store(address)
        assert "\n" not in str(caught.value)


def test_url_needs_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def missing(name: str, package: str | None = None) -> Any:
        return None if name == "fsspec" else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", missing)
    with pytest.raises(UsageError, match=r"s3://bucket/m\.zarr: URLs need fsspec.*pip install 'mgmtool\[remote\]'"):
        mgmtool.open_store("s3://bucket/m.zarr")


def test_url_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^nosuch://x/m\.zarr cannot be opened: .*nosuch"):
        mgmtool.open_store("nosuch://x/m.zarr")


def test_storage_options_reach_fsspec(in_memory: str) -> None:
    class Locked(type(fsspec.filesystem("memory"))):  # type: ignore[misc]
        protocol = "locked"
        cachable = False

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return str(super()._strip_protocol(path.replace("locked://", "memory://")))

        def __init__(self, *args: Any, key: str = "", **options: Any) -> None:
            if key != "42":
                raise PermissionError("wrong key")
            super().__init__(*args, **options)

    fsspec.register_implementation("locked", Locked, clobber=True)
    url = in_memory.replace("memory", "locked")
    store = mgmtool.open_store(url, storage_options={"key": "42"})
    assert list(store) == list(FILMS)
    assert store.clip("a/0.mp4", [0, 1]).mask.sum() == 147
    with pytest.raises(StoreError, match=r"cannot be read: wrong key$"):
        mgmtool.open_store(url, storage_options={"key": "41"})


def test_windows_of_an_array_that_is_not_there(path: Path) -> None:
    opened = Arrays(place(path))
    assert not opened.has(0, "nothing")
    assert opened.read(0, ["nothing"], 0, 1) == {}
    with pytest.raises(StoreError, match=r"part-00000 has no array 'nothing'$"):
        opened.rows(0, ["nothing"], 0, 1)
