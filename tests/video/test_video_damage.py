"""What is reported of damaged files, and of files that end early, is what decoding at full size finds."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import av.error
import numpy as np
import pytest

from mgmtool import sources
from mgmtool.errors import DecodeFailure, NoMotionVectorsFailure
from mgmtool.types import DecodeOptions, VideoFacts, VideoRef
from mgmtool.video.ending import missing_bytes
from mgmtool.video.reader import read_video
from mgmtool.video.small import SHRINK
from support.base_clip import FRAMES, write_clip

CLIPS = {
    "mpeg1.mkv": ("mpeg1video", {}),
    "mpeg2.mkv": ("mpeg2video", {"bf": "2"}),
    "mpeg4.avi": ("mpeg4", {}),
    "mpeg4.mp4": ("mpeg4", {"bf": "2"}),
    "h263.avi": ("h263", {}),
    "flv1.flv": ("flv", {}),
    "h264.mp4": ("libx264", {}),
}
FAMILY = [name for name in CLIPS if "264" not in name]
FIRST_FLIP = 6000
"""Bytes at the start that stay: headers of the container."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    size = {"height": 288, "width": 352}  # one that H.263 has
    return {name: write_clip(folder / name, *CLIPS[name], **size) for name in CLIPS}


def flipped(path: Path, rate: float, seed: int) -> Path:
    content = np.frombuffer(path.read_bytes(), np.uint8)
    flips = np.random.default_rng(seed).random((len(content), 8)) < rate
    flips[:FIRST_FLIP] = flips[-2000:] = False
    damaged = path.with_name(f"{rate}-{seed}-{path.name}")
    damaged.write_bytes((content ^ np.packbits(flips, axis=1)[:, 0]).tobytes())
    return damaged


def plain_decoding(path: Path) -> tuple[list[bool], int]:
    """Corrupt flag of every frame, and the number of packets that could not be decoded, of the decoder at full size."""
    corrupt, lost = [], 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type, stream.codec_context.thread_count = "NONE", 1
        stream.codec_context.options = {"flags2": "+export_mvs", "skip_loop_filter": "all"}
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return corrupt, lost
                corrupt += [frame.is_corrupt for frame in packet.decode()]
            except av.error.EOFError:
                return corrupt, lost
            except (av.error.InvalidDataError, av.error.PermissionError):
                lost += 1


def read(path: Path, *, strict: bool = False) -> tuple[list[bool], list[bool], VideoFacts]:
    """Corrupt flag of every frame, whether its motion counts, and the facts."""
    video = VideoRef("x", str(path), reading=DecodeOptions(strict=strict))
    with sources.build("codec").open(video, motion=True, luma=True, chroma=True) as stream:
        frames = [(frame.corrupt, frame.has_vectors) for frame in stream.frames]
        return [c for c, _ in frames], [v for _, v in frames], stream.facts()


@pytest.mark.parametrize("name", FAMILY)
def test_an_intact_file_is_read_in_small_frames_to_its_end(name: str, clips: dict[str, Path]) -> None:
    with read_video(str(clips[name]), small_from=0) as opened:
        assert {frame.shrunk for frame in opened.frames} == {SHRINK}
    assert (opened.counts.frames, opened.counts.corrupt_frames, opened.counts.lost_packets) == (FRAMES, 0, 0)


@pytest.mark.parametrize(("rate", "seed"), list(itertools.product([1e-5, 1e-4, 1e-3], range(3))))
@pytest.mark.parametrize("name", CLIPS)
def test_damage_is_reported_as_by_decoding_at_full_size(
    name: str, rate: float, seed: int, clips: dict[str, Path]
) -> None:
    damaged = flipped(clips[name], rate, seed)
    try:
        corrupt, has_vectors, facts = read(damaged)
    except NoMotionVectorsFailure:
        return  # not one sound frame
    expected, lost = plain_decoding(damaged)
    assert corrupt == expected
    assert facts.corrupt_frames == sum(expected)
    assert facts.lost_packets == lost or "ends_early" in facts.index_risk
    assert not any(c and v for c, v in zip(corrupt, has_vectors, strict=True))
    if any(expected) or lost:
        with pytest.raises(DecodeFailure, match=f"^{sum(expected)} corrupt of {len(expected)} frames and"):
            read(damaged, strict=True)


@pytest.mark.parametrize("name", ["mpeg4.avi", "mpeg4.mp4", "h263.avi", "flv1.flv"])
def test_one_flipped_bit_is_noticed_where_full_size_shows_it(name: str, clips: dict[str, Path]) -> None:
    """A flip near the end of a packet makes some decoders stop early without an error: blocks stay unwritten."""
    content = clips[name].read_bytes()
    with av.open(str(clips[name])) as container:
        ends = [p.pos + p.size for p in container.demux(container.streams.video[0]) if p.size and p.pos]
    noticed = 0
    for number, end in enumerate(ends[5:45:2]):
        damaged = bytearray(content)
        damaged[end - 4 - number % 12] ^= 1 << number % 8
        path = clips[name].with_name(f"one-{name}")
        path.write_bytes(damaged)
        corrupt, _, facts = read(path)
        expected, lost = plain_decoding(path)
        assert (corrupt, facts.lost_packets) == (expected, lost)
        noticed += any(expected)
    assert noticed > 3


CUT = {
    "h264.mkv": "libx264",
    "vp8.webm": "libvpx",
    "mpeg4.avi": "mpeg4",
    "h264.flv": "libx264",
    "wmv2.wmv": "wmv2",
    "vp8.ivf": "libvpx",
    "vp8.ogv": "libvpx",
}


@pytest.mark.parametrize("name", CUT)
def test_a_file_that_ends_early_has_lost_a_packet(name: str, tmp_path: Path) -> None:
    whole = write_clip(tmp_path / name, CUT[name])
    cut = tmp_path / f"cut-{name}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 4])
    with read_video(str(whole)) as opened:
        assert sum(1 for _ in opened.frames) == FRAMES
        assert (opened.counts.lost_packets, opened.counts.early_end) == (0, "")
        container = opened.info.container
    with read_video(str(cut)) as opened:
        assert 0 < sum(1 for _ in opened.frames) < FRAMES
        assert opened.counts.lost_packets >= 1
        assert {"ends_early", "lost_packets"} <= set(opened.index_risk())
    assert missing_bytes(str(whole), container) == 0
    assert missing_bytes(str(cut), container) >= 1
    with (
        read_video(str(cut), DecodeOptions(strict=True)) as opened,
        pytest.raises(DecodeFailure, match="the file ends early"),
    ):
        list(opened.frames)


@pytest.mark.parametrize("options", [{"movflags": "faststart"}, {"movflags": "frag_keyframe+empty_moov"}])
def test_an_mp4_that_ends_early_has_lost_a_packet(options: dict[str, str], tmp_path: Path) -> None:
    whole, cut = write_clip(tmp_path / "a.mp4", options={"g": "12"}), tmp_path / "cut.mp4"
    with av.open(str(whole)) as read_from, av.open(str(tmp_path / "b.mp4"), "w", options=options) as write:
        stream = read_from.streams.video[0]
        copy = write.add_stream_from_template(stream)
        for packet in read_from.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                write.mux(packet)
    content = (tmp_path / "b.mp4").read_bytes()
    cut.write_bytes(content[: len(content) * 3 // 4])
    with read_video(str(cut)) as opened:
        assert 0 < sum(1 for _ in opened.frames) < FRAMES
        assert opened.counts.lost_packets >= 1
        assert "ends_early" in opened.index_risk()


def test_a_live_stream_without_lengths_tells_when_its_last_element_is_cut(tmp_path: Path) -> None:
    live, cut = tmp_path / "live.mkv", tmp_path / "cut.mkv"
    whole = write_clip(tmp_path / "a.mp4")
    with av.open(str(whole)) as read_from, av.open(str(live), "w", options={"live": "1"}) as write:
        stream = read_from.streams.video[0]
        copy = write.add_stream_from_template(stream)
        for packet in read_from.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                write.mux(packet)
    cut.write_bytes(live.read_bytes()[:-700])
    assert missing_bytes(str(live), "matroska,webm") == 0
    assert missing_bytes(str(cut), "matroska,webm") > 0


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\x1a\x45\xdf\xa3", b"\0" * 40, b"OggS", bytes(range(256))])
@pytest.mark.parametrize(
    "container", ["avi", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "asf", "flv", "ogg", "ivf", "?"]
)
def test_garbage_promises_nothing_that_breaks(container: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    assert missing_bytes(str(tmp_path / "a"), container) >= 0
    assert missing_bytes(str(tmp_path / "none"), container) == 0
