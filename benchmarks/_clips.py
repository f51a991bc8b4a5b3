"""The clips of ``peers.py``: real ones, the same looped by stream copy, and a short film to warm up with."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

_ROOT = Path(__file__).resolve().parents[1]
_PATTERNS = (
    *("clips/**/R6llTwEh07w.mp4", "clips/**/v_SoccerJuggling_g23_c01.avi"),
    *("clips/**/vid_h264.mp4", "clips/**/S001C001P001R001A001_rgb.avi"),
)


@dataclass(frozen=True)
class Clip:
    """A file to measure on.

    ``times`` is how often the original is repeated in it. ``original`` and ``longest`` say which of the two it is; a clip that
    is not looped is both.
    """

    path: Path
    width: int
    height: int
    codec: str
    frames: int
    seconds: float
    times: int
    original: bool
    longest: bool = False

    @property
    def name(self) -> str:
        """Name of the original, and how often it is repeated."""
        return self.path.name if self.original else f"{self.path.name} x {self.times}"


def find_files() -> list[Path]:
    """Files of the corpus: 340x256, 320x240 MPEG-4, 720p, 1080p; without a corpus, those of the demo."""
    corpus = Path(os.environ.get("MGMTOOL_CORPUS") or _ROOT.parent / "shared" / "corpus")
    found = [path for pattern in _PATTERNS for path in sorted(corpus.glob(pattern))]
    found = found or sorted((_ROOT / "demo" / "clips").glob("*.mp4"))
    if not found:
        raise SystemExit("no clips: name --files, set MGMTOOL_CORPUS to a folder of real videos, or run make demo")
    return found


class LoopError(Exception):
    """A file cannot be looped."""


def make_clips(files: list[Path], seconds: float, folder: Path) -> list[Clip]:
    """Every file, and after it the same looped until it lasts so many seconds, if it does not yet and can be looped."""
    clips = []
    for number, file in enumerate(files):
        frames, duration = _count(file)
        original = _clip(file, frames, duration, 1)
        times = math.ceil(seconds / duration)
        home = folder / str(number)
        looped = _looped(original, times, home / file.name) if times > 1 else None
        clips += [replace(original, longest=True)] if looped is None else [original, looped]
    return clips


def _looped(original: Clip, times: int, target: Path) -> Clip | None:
    """Loop a clip and count; say so where that does not work."""
    target.parent.mkdir()
    try:
        loop(original.path, target, times)
        frames, _ = _count(target)
        if frames != times * original.frames:
            raise LoopError(f"{frames} frames after looping; expected {times} x {original.frames}")
    except (LoopError, av.FFmpegError) as error:
        print(f"{original.path}: cannot be looped: {error}", file=sys.stderr)
        return None
    return replace(_clip(target, frames, times * original.seconds, times), longest=True)


def _clip(path: Path, frames: int, seconds: float, times: int) -> Clip:
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        size = context.width, context.height
        return Clip(path, *size, context.name, frames, seconds, times, original=times == 1)


def _count(path: Path) -> tuple[int, float]:
    """Frames the decoder gives, and the seconds they last."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(stream))
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    if not frames:
        raise SystemExit(f"{path}: no frames")
    return frames, float(frames / rate)


def loop(source: Path, target: Path, times: int) -> None:
    """Repeat the video stream of a file, without encoding it again."""
    stamps, span = _stamps(source)
    with av.open(str(target), "w") as output:
        copy: Any = None
        for number in range(times):
            with av.open(str(source)) as container:
                stream = container.streams.video[0]
                copy = copy or output.add_stream_from_template(stream)
                for packet, (pts, dts) in zip(_packets(container), stamps, strict=True):
                    packet.pts, packet.dts = pts + number * span, dts + number * span
                    packet.stream = copy
                    output.mux(packet)


def _packets(container: Any) -> Iterator[Any]:
    """Packets of the video stream, less the empty one that says that the file has ended."""
    return (packet for packet in container.demux(video=0) if packet.size)


def _stamps(source: Path) -> tuple[list[tuple[int, int]], int]:
    """When every packet is shown and decoded, and the ticks from one repetition to the next."""
    with av.open(str(source)) as container:
        packets = list(_packets(container))
    if not packets or any(packet.pts is None for packet in packets) or packets[-1].dts is None:
        raise LoopError("packets without time stamps")
    decoded = packets[-1].dts
    stamps = []
    for packet in reversed(packets):  # Matroska does not say when the first packets are decoded
        decoded = packet.dts if packet.dts is not None else decoded - packet.duration
        stamps.append((packet.pts, decoded))
    end = max(packet.pts + packet.duration for packet in packets)
    return stamps[::-1], end - min(packet.pts for packet in packets)


def write_film(path: Path, frames: int = 25) -> Path:
    """Encode a second of a texture that moves before another, 340x256."""
    random = np.random.default_rng(0)
    ground = random.integers(60, 120, (256, 340), np.uint8)
    square = random.integers(140, 255, (64, 64), np.uint8)
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 340, 256, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(frames):
            picture = np.roll(ground, number, axis=1)
            picture[96:160, 4 * number : 4 * number + 64] = square
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path
