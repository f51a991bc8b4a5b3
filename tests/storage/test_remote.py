"""Videos in object stores, and mask stores there: an S3 of our own on this machine, and fsspec's files in memory."""

from __future__ import annotations

import errno
import json
import logging
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import fsspec
import numpy as np
import pyarrow as pa
import pytest
from zarr.core.sync import sync as zarr_sync

import mgmtool
from mgmtool import corpus, storage
from mgmtool.cli.parameters import PlaceType
from mgmtool.corpus import scan
from mgmtool.engines import build
from mgmtool.errors import InputError, PartCommittedError, ReadFailure, StoreError, StoreWriteError, UsageError
from mgmtool.extraction import extract, prepare
from mgmtool.extraction.probing import probe
from mgmtool.storage import is_url, local_copy, place, public, retries
from mgmtool.storage.names import file_name, join, parent, redacted
from mgmtool.storage.object_store import ObjectStore
from mgmtool.store import Store, StoreWriter
from mgmtool.store.index import ROOT_KEY
from mgmtool.types import ExtractSpec, KnownVideo, Outcome, PatchGrid, Resume, Shard, VideoRef
from support import calling, stores, tiny_videos
from support.loading import assert_same_masks, some_clips

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of libraries that moto loads
    from moto.server import ThreadedMotoServer

MP4 = (".mp4",)
SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=2)
SMALL = ["--grid", "4x6", "--energy-grid", "3x4", "--part-videos", "2"]
IDS = ["a/0.mp4", "a/1.mp4", "b/2.mp4", "b/broken.mp4", "b/late.mp4"]
PROGRAM = [sys.executable, "-c", "from mgmtool.cli import main; main()"]


def close_connections() -> None:
    """End what zarr leaves open until the process ends: file systems that live in its own thread."""
    for protocol in ("s3", "http"):
        kind: Any = fsspec.get_filesystem_class(protocol)
        for system in kind._cache.values():
            if system.asynchronous and protocol == "s3" and system._s3 is not None:
                zarr_sync(system._s3creator.__aexit__(None, None, None))
            elif system.asynchronous and protocol == "http" and system._session is not None:
                zarr_sync(system._session.close())
        kind.clear_instance_cache()


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """An S3 that listens on this machine, as the environment says; with one bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "nobody")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        system = fsspec.filesystem("s3")
        system.mkdir("bucket")
        yield system
        close_connections()
    server.stop()


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips, two files that are none, and names that nobody should look at."""
    folder = tmp_path_factory.mktemp("films")
    for name in ("a", "b", ".cache"):
        (folder / name).mkdir()
    for number, name in enumerate(["a/0.mp4", "a/1.mp4", "b/2.mp4", ".cache/3.mp4", "b/._2.mp4"]):
        (folder / name).write_bytes(tiny_videos.clip(12 + number, number))
    (folder / "b/broken.mp4").write_text("not a video, whatever its name says\n")
    (folder / "b/late.mp4").write_text("\n")
    (folder / "b/list.txt").write_text("a/0.mp4\n")
    return folder


@pytest.fixture(scope="module")
def videos(s3: Any, films: Path) -> str:
    place("s3://bucket/videos").adopt(films, "")
    return "s3://bucket/videos"


@pytest.fixture(scope="module")
def expected(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same videos in a local store; nobody changes it."""
    return run(films, tmp_path_factory.mktemp("store") / "m.zarr")


@pytest.fixture
def memory() -> Iterator[Any]:
    """Files in memory, gone after the test."""
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing between two tries."""
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(retries, "LONGEST_WAIT", 0.0)
    monkeypatch.setattr(retries, "JITTER", 0.0)


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder for temporary files; whatever happens, nothing may stay in it."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def run(source: str | Path, output: Any, resume: Resume | None = None, scratch: Path | None = None) -> Any:
    job = prepare(
        [str(source)], output, SPEC, build("inline"), resume=resume, scratch=None if scratch is None else str(scratch)
    )
    list(job.outcomes())
    return output


def fetched(url: str, folder: Path) -> Path:
    """Download a whole store."""
    system, path = fsspec.core.url_to_fs(url)
    system.invalidate_cache()
    system.get(path, str(folder), recursive=True)
    return folder


def assert_same_store(url: str, other: Path, folder: Path) -> None:
    """A remote store holds what a local one does: the same bytes, but for where its videos lay and when they changed."""
    one = fetched(url, folder)
    files, others = stores.array_files(one), stores.array_files(other)
    roots = [json.loads(found.pop("zarr.json")) for found in (files, others)]
    assert files == others
    for root in roots:
        root["attributes"].pop("input_root")
    assert roots[0] == roots[1]
    tables, more = stores.index_tables(one), stores.index_tables(other)
    assert tables.keys() == more.keys()
    for name, table in tables.items():
        assert table.drop_columns(["path", "mtime_ns"]).equals(more[name].drop_columns(["path", "mtime_ns"])), name
        assert _metadata(table) == _metadata(more[name]), name


def _metadata(table: pa.Table) -> dict[bytes, Any]:
    """Metadata of a Parquet file, without the folder that its videos lay in."""
    metadata: dict[bytes, Any] = dict(table.schema.metadata or {})
    root = json.loads(metadata.get(ROOT_KEY, b"{}"))
    return {**metadata, ROOT_KEY: {name: value for name, value in root.items() if name != "input_root"}}


# --- names --------------------------------------------------------------------------------------------------------------


def test_secrets_of_web_addresses_are_not_shown() -> None:
    signed = "https://user:word@host.org/a/b c.mp4?X-Amz-Signature=5ec2e7#t=1"
    assert public(signed) == "https://host.org/a/b c.mp4"
    assert public("http://host") == "http://host"
    assert public("http://host?key=1") == "http://host"
    assert public("s3://bucket/what?.mp4") == "s3://bucket/what?.mp4", "a name like any other"
    assert public("/a/b?.mp4") == "/a/b?.mp4"
    text = redacted(f"403, url='{signed.replace(' ', '%20')}' (see https://help.org/x)")
    assert text == "403, url='https://host.org/a/b%20c.mp4' (see https://help.org/x)"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ftp://user:secret@host/a.mp4", "ftp://host/a.mp4"),
        ("sftp://user:se@cret@host:22/x@y.mp4", "sftp://host:22/x@y.mp4"),
        ("SMB://dom;user:secret@host/share/a", "SMB://host/share/a"),
        ("zip://a.mp4::ftp://user:secret@host/z.zip", "zip://a.mp4::ftp://host/z.zip"),
        ("s3://key:secret@bucket/a", "s3://bucket/a"),
        ("s3://bucket/k@y?v=1:2@3", "s3://bucket/k@y?v=1:2@3"),
        ("abfs://container@account.dfs.core.windows.net/a", "abfs://container@account.dfs.core.windows.net/a"),
        ("ftp://user@host/a", "ftp://user@host/a"),
        ("/files/ftp:/user:secret@host", "/files/ftp:/user:secret@host"),
    ],
)
def test_passwords_of_any_url_are_not_shown(url: str, shown: str) -> None:
    assert public(url) == shown
    if "://" in url:
        assert redacted(f"at '{url}' and {url}") == f"at '{shown}' and {shown}"
        assert storage.without_scheme(url) == shown.partition("://")[2]


def test_a_password_reaches_nothing_that_is_kept_or_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "ftp://user:secret@127.0.0.1:9/v/a.mp4"  # where nobody answers
    (tmp_path / "list.txt").write_text(url)
    arguments = [
        "--grid",
        "4x6",
        "--engine",
        "inline",
        "--json",
        "--log-file",
        tmp_path / "log",
        "--allow-protocol",
        "ftp",
    ]
    monkeypatch.setattr(sys, "argv", ["mgmtool", "extract", "--manifest", f"--root={url}", url])
    ended = calling.run(capsys, "extract", "--manifest", tmp_path / "list.txt", "-o", tmp_path / "m.zarr", *arguments)
    assert ended.code == 3
    ended = (
        ended,
        calling.run(capsys, "failures", tmp_path / "m.zarr"),
        calling.run(capsys, "extract", url, "-o", tmp_path / "n"),
    )
    calling.run(capsys, "report", tmp_path / "m.zarr", "-o", tmp_path / "page.html")
    assert "secret" not in str(ended)
    assert "ftp://127.0.0.1:9/v/a.mp4" in str(ended)
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "list.txt":
            assert b"secret" not in path.read_bytes(), path


# --- protocols ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "named", "allowed", "refused"),
    [
        ("memory://v/a.mp4", [], (), "memory"),
        ("memory://v/a.mp4", [], ("memory",), None),
        ("memory://v/a.mp4", ["memory://v/0.mp4"], (), None),
        ("file:///etc/passwd", ["memory://v/0.mp4"], (), "file"),
        ("local:///etc/passwd", ["memory://v/0.mp4"], (), "local"),
        ("reference://a.mp4", ["memory://v/0.mp4"], ("s3",), "reference"),
        ("zip://a.mp4::memory://v/z.zip", ["memory://v/0.mp4"], (), "zip"),
        ("zip://a.mp4::/etc/z.zip", ["memory://v/0.mp4"], ("zip",), "file"),
        ("zip://a.mp4::/etc/z.zip", [], ("zip", "file"), None),
    ],
)
def test_a_list_names_only_protocols_that_are_allowed(
    memory: Any, listed: str, named: list[str], allowed: tuple[str, ...], refused: str | None
) -> None:
    memory.pipe("/v/0.mp4", b"content")
    if refused is None:
        assert listed in [video.path for video in scan(named, MP4, listed=[listed], allowed=allowed).videos]
        return
    message = f"the list names '{listed}', but no input on the command line is of the protocol {refused}; "
    with pytest.raises(UsageError, match=re.escape(f"{message}--allow-protocol {refused} allows it")):
        scan(named, MP4, listed=[listed], allowed=allowed)


def test_protocols_on_the_command_line(memory: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.txt").write_text("memory://v/a.mp4\n")
    arguments = ["list", "--manifest", tmp_path / "list.txt"]
    refused = calling.run(capsys, *arguments)
    assert (refused.code, "--allow-protocol memory" in refused.error()) == (2, True)
    for more in (["--allow-protocol", "memory"], ["--allow-protocol", "MEMORY://"], ["--root", "memory://v"]):
        assert calling.run(capsys, *arguments, *more).code == 0


@pytest.mark.parametrize("url", ["nonsense://host/a.mp4", "nonsense://host/", "reference://host/a.mp4"])
@pytest.mark.parametrize("listed", [False, True])
def test_an_unknown_protocol_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, listed: bool
) -> None:
    if listed and not url.startswith("nonsense"):
        pytest.skip("known, and found out when it is read")
    (tmp_path / "list.txt").write_text(url)
    source = ["--manifest", tmp_path / "list.txt", "--allow-protocol", "nonsense"] if listed else [url]
    ended = calling.run(capsys, "extract", *source, "-o", tmp_path / "m.zarr", "--engine", "inline")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert not (tmp_path / "m.zarr").exists()


@pytest.mark.parametrize("url", ["https://host/a.mp4", "s3://bucket/a.mp4"])
def test_a_missing_extra_is_found_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    def missing(protocol: str) -> None:
        raise ImportError(f"Install what {protocol} needs")

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    (tmp_path / "list.txt").write_text(url)
    listed = ["--manifest", tmp_path / "list.txt", "--allow-protocol", url.partition(":")[0]]
    for source in ([url], listed):
        ended = calling.run(capsys, "extract", *source, "-o", tmp_path / "m.zarr", "--engine", "inline")
        assert (ended.code, "pip install 'mgmtool[" in ended.error()) == (2, True)
        assert not (tmp_path / "m.zarr").exists()


def test_a_remote_walk_counts_what_it_skips(memory: Any) -> None:
    for name in ("a.mp4", "b.JPG", "c/d.jpg", "e", ".f.txt"):
        memory.pipe(f"/v/{name}", b"content")
    assert scan(["memory://v/"], MP4).skipped == {".jpg": 2, "no ending": 1}


def test_names_of_urls() -> None:
    assert parent("s3://bucket/a/b.mp4") == "s3://bucket/a"
    assert parent("s3://bucket/b.mp4") == "s3://bucket"
    assert parent("http://host/b.mp4?x=/y") == "http://host"
    assert join("s3://bucket/", "a") == "s3://bucket/a"
    assert file_name("https://host/a/b.webm?x=c/d.mp4") == "b.webm"
    assert file_name("s3://bucket/" + "ä" * 400 + ".mp4").endswith("ä.mp4")
    assert len(file_name("s3://bucket/" + "ä" * 400 + ".mp4").encode()) <= 202
    assert [is_url(name) for name in ("s3://b", "a/b", "://b", "/x/s3://b", "C:/x")] == [True, *[False] * 4]


def test_output_option_keeps_urls() -> None:
    def convert(value: str) -> Any:
        return PlaceType().convert(value, None, None)

    assert convert("s3://bucket/m.zarr") == "s3://bucket/m.zarr"
    assert convert("a//m.zarr") == Path("a/m.zarr")
    with pytest.raises(click.BadParameter, match="does not exist"):
        PlaceType(exists=True).convert("/nowhere", None, None)


# --- inputs -------------------------------------------------------------------------------------------------------------


def test_folder_is_walked(s3: Any, videos: str, films: Path) -> None:
    for name in (videos, f"{videos}/"):
        found = scan([name], MP4)
        assert found.root == videos
        assert [video.id for video in found.videos] == IDS
        assert [video.path for video in found.videos] == [f"{videos}/{name}" for name in IDS]
        assert [video.size for video in found.videos] == [(films / name).stat().st_size for name in IDS]
        assert all(abs(video.mtime_ns / 1e9 - (films / video.id).stat().st_mtime) < 60 for video in found.videos)


@pytest.mark.parametrize("kind", ["memory", "s3"])
def test_what_an_input_stands_for(kind: str, memory: Any, films: Path, request: pytest.FixtureRequest) -> None:
    if kind == "memory":
        place("memory://v/videos").adopt(films, "")
        top = "memory://v/videos"
    else:
        top = request.getfixturevalue("videos")

    def ids(*names: str, **more: Any) -> list[str]:
        return [video.id for video in scan([f"{top}/{name}" for name in names], MP4, **more).videos]

    assert ids("a/0.mp4") == ["0.mp4"]
    assert ids("b/list.txt") == ["list.txt"], "one that is named is taken whatever its ending"
    assert ids("*/*.mp4") == IDS
    assert ids("**/*.mp4") == IDS
    assert ids("?/[01].mp4") == ["a/0.mp4", "a/1.mp4"]
    assert ids("[a]") == ["a/0.mp4", "a/1.mp4"], "a folder that matches is walked"
    assert ids("a", "b/2.mp4") == ["a/0.mp4", "a/1.mp4", "b/2.mp4"], "relative to the deepest folder of all"
    assert ids("a", root=f"{top}/") == ["a/0.mp4", "a/1.mp4"]
    assert ids("a", "a/0.mp4", "a/*") == ["0.mp4", "1.mp4"], "once"


def test_names_with_magic_are_names_first(memory: Any) -> None:
    memory.pipe({"/v/a[0]?.mp4": b"x", "/v/b%20c #1.mp4": b"y"})
    assert [video.path for video in scan(["memory://v"], MP4).videos] == [
        "memory://v/a[0]?.mp4",
        "memory://v/b%20c #1.mp4",
    ]
    assert [video.id for video in scan(["memory://v/a[0]?.mp4"], MP4).videos] == ["a[0]?.mp4"]


def test_inputs_of_several_places(memory: Any, films: Path) -> None:
    memory.pipe({"/v/0.mp4": b"x", "/w/0.mp4": b"y"})
    found = scan(["memory://v", "memory://w"], MP4)
    assert (found.root, [video.id for video in found.videos]) == ("", ["v/0.mp4", "w/0.mp4"])
    found = scan(["memory://v", str(films / "a")], MP4)
    assert (found.root, [video.id for video in found.videos]) == (str(films / "a"), ["0.mp4", "1.mp4", "v/0.mp4"])


def test_inputs_that_are_not_there(s3: Any, videos: str, memory: Any, hurry: None) -> None:
    memory.pipe("/v/list.txt", b"x")
    for name, message in {
        "s3://bucket/none": r"^s3://bucket/none: no such object$",
        "s3://nobucket/videos": r"^s3://nobucket/videos: The specified bucket does not exist$",
        f"{videos}/*.mkv": r"^s3://bucket/videos/\*\.mkv: the pattern matches nothing$",
        "memory://v": r"^no video found in memory://v; looked for files ending in \.mp4$",
    }.items():
        with pytest.raises(InputError, match=message):
            scan([name], MP4)


def test_no_credentials(s3: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    close_connections()
    try:
        code, _, err = calling.run(capsys, "extract", "s3://bucket/videos", "-o", "memory://m.zarr")
        assert (code, err) == (
            1,
            "mgmtool: error: cannot read s3://bucket/videos: no credentials found in the environment\n",
        )
        with pytest.raises(StoreWriteError, match=r"^cannot write s3://bucket/n\.zarr: .*: no credentials found"):
            stores.open_writer("s3://bucket/n.zarr")  # type: ignore[arg-type]
    finally:
        close_connections()


def test_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(protocol: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    message = r"^s3://bucket/x cannot be opened: Install s3fs to access S3; pip install 'mgmtool\[s3\]'$"
    for use in (lambda url: scan([url], MP4), stores.open_writer, Store.open):
        with pytest.raises(UsageError, match=message):
            use("s3://bucket/x")


def test_times_of_every_kind(memory: Any) -> None:
    from mgmtool.storage.listing import _item

    for value in ("2024-05-01T12:00:00.5+00:00", "2024-05-01T12:00:00.5Z", 1714564800.5):
        assert _item("memory://x", {"size": 1, "mtime": value}).mtime_ns == 1714564800_500_000_000
    assert _item("memory://x", {"size": None, "updated": "soon"}).mtime_ns == -1


# --- copies -------------------------------------------------------------------------------------------------------------


def test_local_video_is_itself(tmp_path: Path) -> None:
    video = VideoRef("a", "/nowhere/a.mp4")
    with local_copy(video, tmp_path) as local:
        assert local is video


def test_copy_is_there_as_long_as_it_is_needed(memory: Any, scratch: Path) -> None:
    memory.pipe("/v/a b.MP4", b"content")
    with local_copy(VideoRef("id", "memory://v/a b.MP4"), scratch) as local:
        assert (local.id, Path(local.path).read_bytes(), Path(local.path).name) == ("id", b"content", "a b.MP4")
        assert scratch in Path(local.path).parents


def test_copies_of_dead_processes_are_removed(memory: Any, tmp_path: Path) -> None:
    memory.pipe("/v/a.mp4", b"x")
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead, alive = tmp_path / f"mgmtool-copy-{child.pid}-x", tmp_path / f"mgmtool-copy-{os.getppid()}-x"
    for folder in (dead, alive, tmp_path / "other"):
        folder.mkdir()
    with local_copy(VideoRef("a", "memory://v/a.mp4"), tmp_path):
        assert not dead.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([alive.name, "other"])


@pytest.mark.parametrize("size", [-1, 7])
def test_no_room_for_a_copy(memory: Any, scratch: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    memory.pipe("/v/a.mp4", b"content")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 4, 6))
    with (
        pytest.raises(ReadFailure, match=rf"^memory://v/a\.mp4 has 7 bytes, but only 6 are free in {scratch}$"),
        local_copy(VideoRef("a", "memory://v/a.mp4", size), scratch),
    ):
        pass


def test_video_that_is_gone_fails_alone(memory: Any, films: Path, scratch: Path) -> None:
    place("memory://v").adopt(films / "a", "")
    found = scan([], MP4, listed=["memory://v/0.mp4", "memory://v/none.mp4"])
    outcomes = list(prepare(found, scratch.parent / "m.zarr", SPEC, build("inline"), scratch=str(scratch)).outcomes())
    assert [(video.video.id, video.failure, video.message) for video in outcomes] == [
        ("v/0.mp4", None, None),
        ("v/none.mp4", "io", "cannot fetch memory://v/none.mp4: no such object"),
    ]


def test_content_fingerprint_is_that_of_the_copy(memory: Any, films: Path, tmp_path: Path) -> None:
    place("memory://v").adopt(films / "a", "")
    how = Resume(fingerprint="content")
    outcomes = list(extract(["memory://v"], tmp_path / "m.zarr", SPEC, "inline", resume=how))
    assert outcomes[0].fingerprint == corpus.content_fingerprint(str(films / "a/0.mp4"))
    video = outcomes[0].video
    known = {"0.mp4": KnownVideo(0, True, video.size, video.mtime_ns, "another")}
    assert corpus.changed_videos([video], known, "content") == [], "nobody fetches a video to see whether it changed"
    known["0.mp4"] = KnownVideo(0, True, video.size, video.mtime_ns - 1, "another")
    assert corpus.changed_videos([video], known, "content") == [video]


def test_scratch_has_to_be_there(films: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"scratch is '.*none', which is no folder"):
        run(films, tmp_path / "m.zarr", scratch=tmp_path / "none")


# --- stores -------------------------------------------------------------------------------------------------------------


def test_from_s3_into_s3_is_as_local(
    s3: Any, videos: str, expected: Path, tmp_path: Path, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = run(videos, "s3://bucket/same.zarr", scratch=scratch)
    assert_same_store(url, expected, tmp_path / "fetched")
    opened, local = mgmtool.open_store(url), mgmtool.open_store(expected)
    clips = some_clips(local)
    assert_same_masks(opened.batch(clips), local.batch(clips))
    # Again, from another process or not: nothing is left to do, and nothing is written.
    before = place(url).sizes()
    job = prepare([videos], url, SPEC, build("inline"))
    assert (job.remaining, dict(job.earlier), job.changed) == (0, {"done": 3, "failed": 2}, [])
    assert list(job.outcomes()) == []
    assert place(url).sizes() == before
    code, out, _ = calling.run(capsys, "info", url, "--json")
    facts, local_facts = json.loads(out), json.loads(calling.run(capsys, "info", expected, "--json")[1])
    assert code == 0
    assert facts.pop("store") == url
    assert facts.pop("input_root") == videos
    assert facts.pop("last_run")["status"] == local_facts.pop("last_run")["status"] == "finished"
    assert {**facts, "store": str(expected), "input_root": local_facts["input_root"]} == local_facts
    code, out, _ = calling.run(capsys, "info", url, f"{videos}/b/2.mp4", "--json")
    assert json.loads(out)["path"] == f"{videos}/b/2.mp4"
    stores.assert_volumes_equal(Store.open(url).volume("a/1.mp4"), Store.open(expected).volume("a/1.mp4"))


@pytest.mark.parametrize("kind", ["memory", "s3"])
def test_interrupted_run_leaves_no_record(
    kind: str, memory: Any, s3: Any, films: Path, expected: Path, tmp_path: Path, scratch: Path
) -> None:
    url = f"{kind}://bucket/interrupted.zarr"
    outcomes = prepare([str(films)], url, SPEC, build("inline"), scratch=str(scratch)).outcomes()
    for _ in range(3):
        next(outcomes)
    outcomes.close()
    (journals,) = scratch.iterdir()
    assert journals.name.endswith("-part-00001"), (
        "finished videos are kept where the next run with this scratch finds them"
    )
    assert place(url).names("index") == ["part-00000.parquet"]
    assert len(mgmtool.open_store(url)) == 2
    again = list(prepare([str(films)], url, SPEC, build("inline"), scratch=str(scratch)).outcomes())
    assert [outcome.resumed for outcome in again] == [True, False, False]
    assert_same_store(url, expected, tmp_path / "fetched")


def test_without_scratch_an_interrupted_run_leaves_no_journal(
    memory: Any, films: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    outcomes = prepare([str(films)], "memory://m.zarr", SPEC, build("inline")).outcomes()
    next(outcomes)
    outcomes.close()


def test_failed_upload_commits_nothing(
    s3: Any,
    films: Path,
    expected: Path,
    tmp_path: Path,
    scratch: Path,
    hurry: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "s3://bucket/failed.zarr"
    now: Any = fsspec.filesystem("s3")
    real, tries = now.put_file, []

    def broken(local: str, remote: str, *args: Any, **more: Any) -> Any:
        if "part-00001/pts/c" in remote:
            tries.append(remote)
            raise ConnectionResetError("gone")
        return real(local, remote, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(now, "put_file", broken)
        message = (
            r"^cannot write s3://bucket/failed\.zarr: s3://bucket/failed\.zarr/part-00001/pts/c/0: gone "
            r"\(5 tries\); what was committed before stays valid$"
        )
        with pytest.raises(StoreWriteError, match=message):
            run(films, url, scratch=scratch)
    assert len(tries) == 5
    assert place(url).names("index") == ["part-00000.parquet"]
    assert "part-00001" in place(url).names(), "this is what the next run finds"
    s3.pipe("bucket/failed.zarr/part-00001/old/c/0", b"of a run with other videos")
    run(films, url, scratch=scratch)
    assert_same_store(url, expected, tmp_path / "fetched")


def test_upload_that_arrives_short_is_found(memory: Any, films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = type(memory).put_file

    def short(self: Any, local: str, remote: str, *args: Any, **more: Any) -> None:
        real(self, local, remote, *args, **more)
        if remote.endswith("part-00000/flags/c/0"):
            self.pipe_file(remote, self.cat_file(remote)[:-1])

    monkeypatch.setattr(type(memory), "put_file", short)
    with pytest.raises(
        StoreWriteError, match=r"memory://m\.zarr/part-00000/flags/c/0 has \d+ bytes after its upload, not \d+"
    ):
        run(films, "memory://m.zarr")
    assert place("memory://m.zarr").names("index") == []


def test_shards_of_a_remote_store(s3: Any, videos: str, films: Path, expected: Path, tmp_path: Path) -> None:
    url = "s3://bucket/shards.zarr"
    for index in (1, 0):
        run(videos, url, Resume(shard=Shard(index, 2)))
        assert not place(url).exists("index.parquet")
    run(videos, url)
    assert_same_store(url, expected, tmp_path / "fetched")


def test_two_drivers_of_one_part(s3: Any, memory: Any) -> None:
    """Without locks, the record decides; what the first one committed is never touched by the second."""
    for url in ("memory://two.zarr", "s3://bucket/two.zarr"):
        one, other = stores.open_writer(url), stores.open_writer(url)  # type: ignore[arg-type]
        with other.part(0) as growing:
            growing.append(stores.make_volume(3))
            growing.end_video(stores.done("a.mp4", 3))
            stores.write_part(one, 0, {"b.mp4": 4})
            before = place(url).sizes()
            with pytest.raises(PartCommittedError, match=r"part 0 of .*two\.zarr was committed by another run"):
                growing.commit()
        assert place(url).sizes() == before
        with pytest.raises(PartCommittedError, match="was committed by another run meanwhile"):
            other.part(0)
        assert list(mgmtool.open_store(url)) == ["b.mp4"]


def test_record_written_at_the_last_moment_wins(s3: Any, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("memory://late.zarr", "s3://bucket/late.zarr"):
        one, other = stores.open_writer(url), stores.open_writer(url)  # type: ignore[arg-type]
        stores.write_part(one, 0, {"a.mp4": 4}, seconds=1)
        record = place(url).read("index/part-00000.parquet")
        with monkeypatch.context() as patch:
            patch.setattr(ObjectStore, "exists", lambda *_: False)
            with pytest.raises(PartCommittedError):
                stores.write_part(other, 0, {"a.mp4": 4}, seconds=2)
            stores.write_part(one, 0, {"a.mp4": 4}, seconds=1)  # the same record, whose answer got lost
        assert place(url).read("index/part-00000.parquet") == record


def test_server_without_conditional_writes(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = type(memory).pipe_file

    def plain(self: Any, path: str, value: bytes, mode: str = "overwrite", **more: Any) -> None:
        if mode == "create":
            raise OSError(errno.ENOSYS, "not implemented")
        real(self, path, value, **more)

    monkeypatch.setattr(type(memory), "pipe_file", plain)
    stores.write_part(stores.open_writer("memory://m.zarr"), 0, {"a.mp4": 2})  # type: ignore[arg-type]
    assert len(mgmtool.open_store("memory://m.zarr")) == 1


def test_rows_that_supersede(memory: Any, films: Path, tmp_path: Path) -> None:
    """A video that is done again: both places give the same index."""
    place("memory://v").adopt(films, "")
    copy = shutil.copytree(films, tmp_path / "films")
    stored = {"memory://v": "memory://m.zarr", copy: tmp_path / "m.zarr"}
    for source, store in stored.items():
        run(source, store)
    memory.pipe("/v/b/late.mp4", tiny_videos.clip(9, 9))
    (copy / "b/late.mp4").write_bytes(tiny_videos.clip(9, 9))
    for source, store in stored.items():
        run(source, store, Resume(retry_failed=True))
    assert_same_store("memory://m.zarr", tmp_path / "m.zarr", tmp_path / "fetched")
    assert len(mgmtool.open_store("memory://m.zarr")) == 4


def test_notes_and_outcomes(memory: Any) -> None:
    writer = stores.open_writer("memory://m.zarr")  # type: ignore[arg-type]
    stores.write_part(writer, 3, {"a.mp4": 2, "b.mp4": None})
    writer.note("runs/1.json", b"{}")
    assert memory.cat_file("/m.zarr/runs/1.json") == b"{}"
    ends = writer.outcomes(3, [VideoRef("a.mp4", "x"), VideoRef("b.mp4", "y")])
    assert [(end.video.id, end.failure, end.part) for end in ends] == [("a.mp4", None, 3), ("b.mp4", "open", 3)]


def test_writer_survives_pickling(memory: Any, scratch: Path) -> None:
    """An engine on other machines sends it along."""
    writer = StoreWriter.open(
        "memory://m.zarr/", SPEC, energy=True, input_root="/videos", versions={}, scratch=str(scratch)
    )
    copy = pickle.loads(pickle.dumps(writer))
    assert (copy.name, copy.spec) == ("memory://m.zarr", SPEC)
    with copy.part(0):
        assert len(list(scratch.iterdir())) == 1


def test_store_behind_a_file_url_is_local(films: Path, tmp_path: Path, expected: Path) -> None:
    run(films, f"file://{tmp_path}/m.zarr")
    stores.assert_same(tmp_path / "m.zarr", expected)


def test_places_that_hold_something_else(s3: Any, memory: Any, films: Path) -> None:
    s3.pipe({"bucket/other/a.txt": b"x", "bucket/group/zarr.json": b'{"node_type": "group", "attributes": {}}'})
    s3.pipe("bucket/damaged/zarr.json", b"{")
    for url, message in {
        "s3://bucket/other": r"^output s3://bucket/other holds something that is not a mask store",
        "s3://bucket/damaged": r"^output s3://bucket/damaged holds something that is not a mask store",
        "s3://bucket/group": r"^s3://bucket/group is a Zarr group, but not a mask store",
    }.items():
        for use in (lambda url: run(films, url), StoreWriter.remove):
            with pytest.raises(StoreError, match=message):
                use(url)
    assert s3.cat_file("bucket/other/a.txt") == b"x"
    with pytest.raises(StoreWriteError, match=r"^cannot write s3://nobucket/m\.zarr: .*bucket does not exist;"):
        run(films, "s3://nobucket/m.zarr")


def test_overwrite_removes_the_store_and_nothing_beside_it(
    s3: Any, films: Path, expected: Path, tmp_path: Path
) -> None:
    s3.pipe("bucket/again.zarr.txt", b"x")
    url = run(films / "a", "s3://bucket/again.zarr")
    s3.pipe("bucket/again.zarr/part-00009/old", b"x")
    job = prepare([str(films)], url, SPEC, build("inline"), overwrite=True)
    assert place(url).names() == ["zarr.json"]
    list(job.outcomes())
    assert_same_store(url, expected, tmp_path / "fetched")
    assert s3.cat_file("bucket/again.zarr.txt") == b"x"
    StoreWriter.remove(url)
    assert place(url).names() == []
    StoreWriter.remove(url)


# --- retries ------------------------------------------------------------------------------------------------------------


class Answer(Exception):
    """What a library raises over an HTTP answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"answer {status}, url='http://h/a?Signature=5ec2e7'")
        self.status = status


class EndpointConnectionError(Exception):
    pass


class HTTPClientError(Exception):
    pass


class ReadTimeoutError(HTTPClientError):
    pass


class NoCredentialsError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "tries", "kind"),
    [
        (ConnectionResetError("gone"), 5, OSError),
        (TimeoutError(), 5, OSError),
        (OSError(errno.EBUSY, "slow down"), 5, OSError),
        (Answer(503), 5, OSError),
        (Answer(429), 5, OSError),
        (ReadTimeoutError("too late"), 5, OSError),
        (Answer(400), 1, OSError),
        (Answer(403), 1, PermissionError),
        (Answer(404), 1, FileNotFoundError),
        (OSError(errno.ENOSPC, "No space left on device"), 1, OSError),
        (OSError(errno.EINVAL, "bad name"), 1, OSError),
        (FileNotFoundError("bucket/key"), 1, FileNotFoundError),
        (PermissionError("no"), 1, PermissionError),
        (NoCredentialsError("none"), 1, PermissionError),
        (ValueError("no such thing"), 1, OSError),
    ],
    ids=repr,
)
def test_what_is_tried_again(error: Exception, tries: int, kind: type[OSError], hurry: None) -> None:
    calls = []

    def fail() -> None:
        calls.append(1)
        raise error

    with pytest.raises(kind) as caught:
        retries.attempt("https://host/a.mp4?Signature=5ec2e7", fail)
    assert len(calls) == tries
    assert type(caught.value) is kind
    text = str(caught.value)
    assert text.startswith("https://host/a.mp4: ")
    assert text.endswith("(5 tries)") == (tries == 5)
    assert "5ec2e7" not in text
    assert "\n" not in text


def test_try_that_succeeds_is_the_last(hurry: None) -> None:
    answers = iter([TimeoutError(), Answer(500), "content"])

    def next_answer() -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert retries.attempt("s3://bucket/a", next_answer) == "content"


def test_interrupts_are_not_tried_again(hurry: None) -> None:
    calls = []

    def stop() -> None:
        calls.append(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retries.attempt("s3://bucket/a", stop)
    assert len(calls) == 1


def test_pauses_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    import tenacity.nap

    slept: list[float] = []
    monkeypatch.setattr(tenacity.nap.time, "sleep", slept.append)

    def fail() -> None:
        raise TimeoutError

    with pytest.raises(OSError, match=r"5 tries"):
        retries.attempt("s3://bucket/a", fail)
    assert [first <= pause <= first + 1 for pause, first in zip(slept, [0.5, 1, 2, 4], strict=True)] == [True] * 4


def test_transient_error_of_a_download_costs_no_video(
    memory: Any, films: Path, tmp_path: Path, hurry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    place("memory://v").adopt(films / "a", "")
    real, failed = type(memory).get_file, []

    def flaky(self: Any, remote: str, local: str, *args: Any, **more: Any) -> None:
        if remote not in failed:
            failed.append(remote)
            Path(local).write_bytes(b"half")
            raise ConnectionResetError
        real(self, remote, local, *args, **more)

    monkeypatch.setattr(type(memory), "get_file", flaky)
    outcomes = list(extract(["memory://v"], tmp_path / "m.zarr", SPEC, "inline"))
    assert [outcome.done for outcome in outcomes] == [True, True]
    assert len(failed) == 2


# --- commands -----------------------------------------------------------------------------------------------------------


def signed(s3: Any, key: str) -> str:
    return str(s3.url(key, expires=600))


def test_presigned_url_keeps_its_secret(
    s3: Any, videos: str, films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, gone = signed(s3, "bucket/videos/a/0.mp4"), signed(s3, "bucket/videos/none.mp4")
    assert "Signature=" in good
    server = os.environ["AWS_ENDPOINT_URL"]
    (tmp_path / "list.txt").write_text(f"{gone} 7\n")
    store = tmp_path / "m.zarr"
    arguments = ["extract", good, "--manifest", tmp_path / "list.txt", "--root", f"{server}/bucket", "-o", store]
    code, out, err = calling.run(capsys, *arguments, "--engine", "inline", *SMALL, "--json")
    assert code == 3
    events = [event for event in map(json.loads, out.splitlines()) if event["event"] == "video"]
    assert [(event["id"], event["failure"]) for event in events] == [
        ("videos/a/0.mp4", None),
        ("videos/none.mp4", "io"),
    ]
    assert events[1]["message"].startswith(f"cannot fetch {server}/bucket/videos/none.mp4: ")
    everything = out + err + "".join(map(str, Store.open(store).index.to_pylist()))
    assert "Signature" not in everything
    assert Store.open(store).videos.row("videos/a/0.mp4")["path"] == f"{server}/bucket/videos/a/0.mp4"
    # Signed anew, it is the same video.
    again = signed(s3, "bucket/videos/a/0.mp4").replace("X-Amz-Expires=600", "X-Amz-Expires=601")
    job = prepare(scan([again], MP4, root=f"{server}/bucket"), store, SPEC, build("inline"))
    assert job.remaining == 0
    with pytest.raises(UsageError, match="two videos would have the id") as caught:
        scan([good], MP4, listed=[again + "&x=1"])
    assert "Signature" not in str(caught.value)


def test_command_with_workers(s3: Any, videos: str, expected: Path, tmp_path: Path, scratch: Path) -> None:
    url = "s3://bucket/workers.zarr"
    ended = subprocess.run(
        [*PROGRAM, "extract", videos, "-o", url, *SMALL, "--workers", "2", "--scratch", str(scratch), "-q"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "")
    assert_same_store(url, expected, tmp_path / "fetched")


def test_list_and_stdin(s3: Any, videos: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = calling.run(capsys, "list", videos, "--format", "csv")
    assert code == 0
    rows = out.splitlines()
    assert rows[1].startswith(f"{videos}/a/0.mp4,")
    assert len(rows) == 1 + len(IDS)
    given = "".join(f"{videos}/{name}\n" for name in IDS[:3]).encode()
    arguments = ["extract", "-", "--root", videos, "-o", "s3://bucket/stdin.zarr", "--engine", "inline", *SMALL]
    code, out, _ = calling.run(capsys, *arguments, stdin=given)
    assert code == 0
    assert out.startswith("s3://bucket/stdin.zarr: 3 done, 0 failed, ")
    assert list(mgmtool.open_store("s3://bucket/stdin.zarr")) == IDS[:3]


def test_probe_of_urls(memory: Any, films: Path) -> None:
    place("memory://v").adopt(films, "")
    probes, local = list(probe(["memory://v"], "inline")), list(probe([str(films)], "inline"))
    assert [(one.video.id, one.peek, one.source, one.failure) for one in probes] == [
        (one.video.id, one.peek, one.source, one.failure) for one in local
    ]
    assert probes[0].video.path == "memory://v/a/0.mp4"


def test_pictures_of_a_url(s3: Any, videos: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(videos, "s3://bucket/drawn.zarr")
    pictures = []
    for name, more in {"computed": [*SMALL[:2]], "stored": ["--store", "s3://bucket/drawn.zarr"]}.items():
        target = tmp_path / f"{name}.png"
        code, out, err = calling.run(capsys, "visualize", f"{videos}/a/1.mp4", "-o", target, "--no-energy", *more)
        assert (code, out) == (0, f"{target}\n"), err
        pictures.append(target.read_bytes())
    assert pictures[0] == pictures[1]
    code, _, err = calling.run(capsys, "visualize", f"{videos}/none.mp4", "-o", tmp_path / "x.png")
    assert (code, err) == (1, f"mgmtool: error: cannot fetch {videos}/none.mp4: no such object\n")


def test_outcome_names_the_url(memory: Any, films: Path, tmp_path: Path) -> None:
    place("memory://v").adopt(films / "b", "")
    outcomes: list[Outcome] = list(extract(["memory://v"], tmp_path / "m.zarr", SPEC, "inline"))
    assert [outcome.video.path for outcome in outcomes] == [
        f"memory://v/{name}.mp4" for name in ("2", "broken", "late")
    ]
    assert all("/tmp" not in (outcome.message or "") for outcome in outcomes)
    assert np.array_equal(Store.open(tmp_path / "m.zarr").volume("2.mp4").mask.shape[1:], (4, 6))


def test_every_command_of_a_url_needs_no_more_than_the_environment(s3: Any) -> None:
    """No option takes a key or an endpoint: what is secret does not belong on a command line."""
    from mgmtool.cli import cli

    context = click.Context(cli)
    commands: Callable[[], Any] = lambda: [cli.get_command(context, name) for name in cli.list_commands(context)]  # noqa: E731
    flags = [flag for command in commands() for param in command.params for flag in param.opts]
    assert not [flag for flag in flags if "endpoint" in flag or "secret" in flag]
