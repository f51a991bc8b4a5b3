"""The clip that tests of damage, time and orientation start from: a textured square moving over texture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.bitstream import BitStreamFilterContext

FRAMES, HEIGHT, WIDTH = 48, 240, 320


def moving_square(frames: int = FRAMES, height: int = HEIGHT, width: int = WIDTH) -> Iterator[av.VideoFrame]:
    """Yield frames in which a square of a third of the height goes from the left to the right."""
    rng, side = np.random.default_rng(0), height // 3
    texture = np.kron(rng.integers(60, 190, (height // 4 + 1, width // 4 + 1)), np.ones((4, 4)))[:height, :width]
    square = np.kron(rng.integers(0, 255, (side // 2 + 1, side // 2 + 1)), np.ones((2, 2)))[:side, :side]
    for number in range(frames):
        picture = np.full((height * 3 // 2, width), 128, np.uint8)
        picture[:height] = texture
        x = left_edge(number, frames, height, width)
        picture[side : 2 * side, x : x + side] = square
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        yield frame


def left_edge(number: int, frames: int, height: int, width: int) -> int:
    """Return the column at which the square of a frame begins."""
    return number * (width - height // 3) // (frames - 1)


def write_clip(
    path: Path, codec: str = "libx264", options: Mapping[str, str] | None = None, streams: int = 1, **size: int
) -> Path:
    """Encode the clip, once or in several streams of one file."""
    with av.open(str(path), "w") as container:
        made: list[Any] = [container.add_stream(codec, rate=25) for _ in range(streams)]
        for stream in made:
            stream.height, stream.width = size.get("height", HEIGHT), size.get("width", WIDTH)
            stream.pix_fmt, stream.options = "yuv420p", dict(options or {})
            if not codec.startswith("lib"):
                stream.bit_rate = 800_000
        for stream in made:
            for frame in moving_square(**size):
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def remux(source: Path, target: Path, bitstream_filter: str = "", rotation: int | None = None) -> Path:
    """Copy the packets of a file into another container, through a bitstream filter, with a display matrix."""
    with av.open(str(source)) as read, av.open(str(target), "w") as write:
        stream = read.streams.video[0]
        copy: Any = write.add_stream_from_template(stream)
        chain = BitStreamFilterContext(bitstream_filter, stream, copy) if bitstream_filter else None
        passed: Callable[[Any], list[Any]] = chain.filter if chain else lambda packet: [packet] if packet else []
        if rotation is not None:
            copy.set_display_rotation(rotation)
        for packet in [*(p for p in read.demux(stream) if p.dts is not None), None]:
            for one in passed(packet):
                one.stream = copy
                write.mux(one)
    return target
