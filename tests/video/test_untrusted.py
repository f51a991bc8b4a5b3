"""Files and names made to harm: nothing is opened but the file itself, nothing large is allocated, nothing reaches a terminal."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from mgmtool.errors import FAILURE_CLASSES, OpenFailure, VideoError, one_line
from mgmtool.extraction.probing import probe_video
from mgmtool.extraction.stream import whole_video
from mgmtool.storage import storable
from mgmtool.store import Store
from mgmtool.types import DecodeOptions, ExtractSpec, VideoRef
from mgmtool.video.pictures import read_pictures
from support import crafted, tiny_videos
from support.calling import Call

SPEC = ExtractSpec(scheme="random")
BAIT = "bait.mp4"


@contextmanager
def untouched(folder: Path) -> Iterator[int]:
    """Lay out a film that nothing may read, and a port that nothing may connect to."""
    bait = folder / BAIT
    bait.write_bytes(tiny_videos.clip(40))
    os.utime(bait, ns=(10**9, 2 * 10**9))  # a read would move the first, on a file system that keeps it
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server.getsockname()[1]
        with pytest.raises(BlockingIOError):
            server.accept()
    assert bait.stat().st_atime_ns == 10**9


def scripts(folder: Path, port: int) -> dict[str, str]:
    """Texts that name another file or an address, by the name of a format."""
    bait = folder / BAIT
    local = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{bait}\n#EXT-X-ENDLIST\n"
    return {
        "hls": local,
        "hls-url": local.replace(str(bait), f"http://127.0.0.1:{port}/a.ts"),
        "hls-nested": local.replace(str(bait), f"concat:{bait}|{bait}"),
        "ffconcat": f"ffconcat version 1.0\nfile {BAIT}\n",
        "ffconcat-absolute": f"ffconcat version 1.0\nfile '{bait}'\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S">'
        f"<Period><AdaptationSet><Representation id='0' mimeType='video/mp4'><BaseURL>{bait}</BaseURL></Representation>"
        "</AdaptationSet></Period></MPD>",
        "reference": f'<?xml version="1.0"?><SMIL><video src="{bait}"/></SMIL>',
        "ffmetadata": f";FFMETADATA1\ntitle={bait}\n",
        "rtsp": f"[Reference]\nRef1=http://127.0.0.1:{port}/a.asf\n",
    }


@pytest.mark.parametrize("ending", [".mp4", ".m3u8", ".ts"])
@pytest.mark.parametrize("kind", scripts(Path(), 0))
def test_a_script_opens_nothing(tmp_path: Path, kind: str, ending: str) -> None:
    with untouched(tmp_path) as port:
        path = tmp_path / f"a{ending}"
        path.write_text(scripts(tmp_path, port)[kind])
        with pytest.raises(OpenFailure, match="cannot be opened as a video"):
            whole_video(VideoRef("a", str(path)), SPEC)
        assert probe_video(VideoRef("a", str(path)), DecodeOptions()).failure == "open"


@pytest.mark.parametrize(
    "name",
    [
        "concat:{0}|{0}",
        "subfile,,start,0,end,4000,,:{0}",
        "file:{0}",
        "async:{0}",
        "cache:{0}",
        "crypto:{0}",
        "data:video/mp4;base64,AAAA",
        "http://127.0.0.1:{1}/a.mp4",
        "tcp://127.0.0.1:{1}",
        "pipe:0",
        "lavfi:testsrc",
    ],
)
def test_a_name_is_a_name_and_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with untouched(tmp_path) as port, pytest.raises(VideoError) as caught:
        whole_video(VideoRef("a", name.format(BAIT, port)), SPEC)
    assert caught.value.failure in {"open", "io"}


def test_a_file_named_like_a_protocol_is_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with untouched(tmp_path):
        Path(f"concat:{BAIT}").write_bytes(tiny_videos.clip(7))
        assert len(whole_video(VideoRef("a", f"concat:{BAIT}"), SPEC)[0]) == 7


def test_a_pattern_of_pictures_is_no_film(tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    for number in range(3):
        Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / f"{number:03}.png")
    with pytest.raises(OpenFailure):
        next(read_pictures(str(tmp_path / "%03d.png")))
    with pytest.raises(OpenFailure):
        next(read_pictures(str(tmp_path / "000.png")))


def test_a_film_that_keeps_its_data_elsewhere_opens_nothing(tmp_path: Path) -> None:
    with untouched(tmp_path):
        data = tiny_videos.clip().replace(b"url \0\0\0\1", b"url \0\0\0\0")  # "not in this file"
        (tmp_path / "a.mp4").write_bytes(data)
        next(read_pictures(str(tmp_path / "a.mp4")))


# --- what a header claims -----------------------------------------------------------------------------------------------

_PEAK = """
import resource, sys
from mgmtool.extraction.probing import probe_video
from mgmtool.extraction import Recipe, process_video
from mgmtool.types import ExtractSpec, DecodeOptions, VideoRef
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
good, bad = (VideoRef("a", path) for path in sys.argv[1:])
process_video(good, Recipe.of(ExtractSpec(scheme="random")), ".")
before = peak()
first = process_video(bad, Recipe.of(ExtractSpec(scheme="random")), ".").outcome
second = probe_video(bad, DecodeOptions())
print(first.failure, second.failure, peak() - before, first.message, sep="\\n")
"""


@pytest.mark.parametrize(
    ("side", "failure", "words"),
    [
        pytest.param(65534, "no_frames", "not one frame could be decoded", id="more-than-FFmpeg-takes"),
        pytest.param(
            16000, "open", "picture is 16000 x 16000 = 256000000 pixels; expected at most 134217728", id="more"
        ),
    ],
)
def test_a_header_that_claims_a_huge_picture_costs_no_memory(
    tmp_path: Path, side: int, failure: str, words: str
) -> None:
    bad = crafted.claiming(tmp_path / "bad.mp4", side, side)
    (good,) = tiny_videos.write_clips(tmp_path, 1)
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(good), str(bad)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    first, second, megabytes, message = done.stdout.splitlines()
    assert first == second == failure
    assert words in message
    assert int(megabytes) < 150  # such a picture has 384 MB


def test_a_header_that_claims_what_the_stream_does_not_is_not_believed(tmp_path: Path) -> None:
    data = bytearray(tiny_videos.clip())
    entry = data.index(b"avc1", data.index(b"stsd"))
    data[entry + 28 : entry + 32] = struct.pack(">HH", 65535, 65535)
    (tmp_path / "a.mp4").write_bytes(data)
    assert next(read_pictures(str(tmp_path / "a.mp4"))).rgb.shape == (48, 64, 3)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_hundreds_of_streams_are_refused(tmp_path: Path, ending: str) -> None:
    path = crafted.encode(tmp_path / f"a.{ending}", [(16, 16)] * 200, 1)
    with pytest.raises(OpenFailure, match=r"more than 64 streams|expected at most 64"):
        next(read_pictures(str(path)))


# --- what a name does to a terminal -------------------------------------------------------------------------------------

EVIL = {
    "escape": "\x1b[2J\x1b]0;owned\x07.mp4",
    "newline": "a\nfailed (open) other.mp4",
    "bell": "\x07\x08\r.mp4",
    "turned": "\u2066\u202egpj.mp4",
    "c1": "\x9b31m\x85\u2028.mp4",
    "markup": "[red]x[/red][link=file:a].mp4",
    "html": "<script>alert(1)</script>.mp4",
    "bytes": os.fsdecode(b"\xff\xfe.mp4"),
}


def harmless(text: str) -> bool:
    return all(c.isprintable() for line in text.split("\n") for c in line)


@pytest.fixture(params=EVIL)
def evil(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with a good and a bad file of the same kind of name."""
    folder = tmp_path / "v"
    folder.mkdir()
    name = EVIL[request.param].replace("/", "|")
    (folder / name).write_bytes(tiny_videos.clip())
    (folder / f"b{name}").write_bytes(b"no film")
    return folder


def test_no_command_prints_a_name_as_it_is(call: Call, evil: Path, tmp_path: Path) -> None:
    store = tmp_path / "m.zarr"
    inputs = [*map(os.fspath, evil.iterdir())]
    for command in (
        ["extract", *inputs, "-o", store, "--engine", "inline", "-v", "--progress", "plain", "--scheme", "random"],
        ["extract", *inputs, "-o", tmp_path / "n.zarr", "--engine", "inline", "--json", "--scheme", "random"],
        ["probe", *inputs, "--engine", "inline"],
        ["probe", *inputs, "--engine", "inline", "--json"],
    ):
        ended = call(*command)
        assert ended.code == 3, ended.err
        assert harmless(ended.out), command[0]
        assert harmless(ended.err), command[0]
        if "--json" in command:
            events = map(json.loads, ended.out.splitlines())
            assert {event["id"] for event in events if "id" in event} == {
                storable(path.name) for path in evil.iterdir()
            }


def test_no_question_prints_a_name_as_it_is(call: Call, evil: Path, tmp_path: Path) -> None:
    call("extract", evil, "-o", tmp_path / "m.zarr", "--engine", "inline", "-q", "--scheme", "random")
    for name in Store.open(tmp_path / "m.zarr").index["id"].to_pylist():
        for more in ([], ["--json"]):
            ended = call("info", tmp_path / "m.zarr", name, *more)
            assert ended.code == 0, ended.err
            assert harmless(ended.out + ended.err)
    gone = [evil / f"gone{name.name}" for name in evil.iterdir()]
    for command in (["probe", *gone], ["extract", *gone, "-o", tmp_path / "x.zarr"], ["info", *gone[:1]]):
        ended = call(*command)
        assert ended.code in {1, 2}
        assert harmless(ended.out + ended.err)


def titled(path: Path, title: str, name: str) -> Path:
    """Write a film of four frames with a title, whose stream has a name."""
    with av.open(str(path), "w") as output:
        output.metadata["title"] = title
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.metadata["handler_name"] = stream.metadata["title"] = name
        for number in range(4):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def test_texts_inside_a_file_reach_nobody(call: Call, tmp_path: Path) -> None:
    path = titled(tmp_path / "a.mkv", "\x1b[2J\x07 title", "\x1b[31m stream")
    for more in ([], ["--json"], ["--stream", "5"]):
        ended = call("probe", path, "--engine", "inline", *more)
        assert harmless(ended.out + ended.err)
        assert "title" not in ended.out + ended.err


@pytest.mark.parametrize("suffix", [".avi", ".mkv", ".mp4"])
def test_texts_inside_a_file_need_not_be_utf_8(call: Call, tmp_path: Path, suffix: str) -> None:
    path = titled(tmp_path / f"a{suffix}", "a title", "a stream")
    data = path.read_bytes()
    for text in (b"a title", b"a stream"):
        assert text in data
        data = data.replace(text, text.replace(b"a ", b"\xe9\xff"))
    path.write_bytes(data)
    ended = call("extract", path, "-o", tmp_path / "m.zarr", "--engine", "inline", "--scheme", "random")
    assert (ended.code, ended.err) == (0, "")
    assert " 1 done, 0 failed, 4 frames; " in ended.out
    assert call("visualize", path, "--store", tmp_path / "m.zarr", "-o", tmp_path / "a.png").code == 0


def test_only_the_file_itself_is_opened_from_python(tmp_path: Path) -> None:
    (path,) = tiny_videos.write_clips(tmp_path, 1)
    code = f"""
import sys
from mgmtool.types import ExtractSpec, VideoRef
from mgmtool.extraction.stream import warm_up, whole_video
spec = ExtractSpec(source="auto")
warm_up(spec)
whole_video(VideoRef("a", {str(path)!r}), spec)
opened = []
sys.addaudithook(lambda event, given: opened.append((event, given)) if event == "open" or "socket" in event else None)
whole_video(VideoRef("a", {str(path)!r}), spec)
assert all(event == "open" and given[0] == {str(path)!r} and given[1] == "r" for event, given in opened), opened
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


@pytest.mark.parametrize("name", EVIL.values(), ids=EVIL)
def test_one_line_is_one_harmless_line(name: str) -> None:
    assert harmless(one_line(name))
    assert "\n" not in one_line(name)


@pytest.mark.parametrize("seed", range(3))
def test_noise_in_a_header_is_a_failure_of_a_known_class(tmp_path: Path, seed: int) -> None:
    import numpy as np

    rng = np.random.default_rng(seed)
    for number in range(15):
        data = bytearray(tiny_videos.clip())
        for place in rng.integers(0, len(data), 1 + number).tolist():
            data[place] = int(rng.integers(256))
        (tmp_path / "a.mp4").write_bytes(data)
        one = probe_video(VideoRef("a", str(tmp_path / "a.mp4")), DecodeOptions(max_pixels=2**20))
        assert one.failure is None or one.failure in set(FAILURE_CLASSES) - {"crash"}, one
