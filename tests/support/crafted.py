"""Files that are unusual on purpose: several streams, odd pixels, sizes that change, headers that lie."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition

from support import tiny_videos

Size = tuple[int, int]


def encode(
    path: Path, sizes: Sequence[Size], frames: int = 6, cover: bool = False, aspect: Fraction | None = None
) -> Path:
    """Write one H.264 stream of panning noise for each (height, width), and perhaps a cover picture."""
    with av.open(str(path), "w") as output:
        streams = [_stream(output, "libx264", size, aspect) for size in sizes]
        if cover:
            picture = _stream(output, "png", (16, 16), None)
            picture.disposition = Disposition.attached_pic
            streams.append(picture)
        for stream in streams:
            still = stream.codec_context.name == "png"
            for number in range(1 if still else frames):
                output.mux(stream.encode(_noise(stream, number)))
            output.mux(stream.encode(None))
    return path


def _stream(output: Any, codec: str, size: Size, aspect: Fraction | None) -> Any:
    stream = output.add_stream(codec, rate=25)
    stream.height, stream.width = size
    stream.pix_fmt = "rgb24" if codec == "png" else "yuv420p"
    stream.codec_context.thread_count = 1
    if aspect is not None:
        stream.codec_context.sample_aspect_ratio = aspect
    return stream


def _noise(stream: Any, number: int) -> Any:
    picture = np.random.default_rng(0).integers(0, 255, (stream.height, stream.width, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(np.roll(picture, 4 * number, axis=1), format="rgb24")
    frame.pts = number
    return frame.reformat(format=stream.pix_fmt)


def changing(path: Path, sizes: Sequence[Size], frames: int = 6) -> Path:
    """Write raw H.264 whose pictures change their size every few frames."""
    parts = []
    for number, size in enumerate(sizes):
        part = encode(path.with_name(f"{number}.h264"), [size], frames)
        parts.append(part.read_bytes())
        part.unlink()
    path.write_bytes(b"".join(parts))
    return path


def damaged(path: Path, frames: int = 24) -> Path:
    """Write a clip with bits of its coded pictures turned over."""
    data = bytearray(tiny_videos.clip(frames))
    start = data.index(b"mdat")
    stop = data.index(b"moov", start)
    for place in np.random.default_rng(0).integers(start + 1200, stop - 100, 10).tolist():
        data[place] ^= 0x55
    path.write_bytes(data)
    return path


def claiming(path: Path, height: int, width: int) -> Path:
    """Write a tiny clip whose sample entry, track header and sequence parameters all claim another size."""
    data = bytearray(tiny_videos.clip())
    entry = data.index(b"avc1", data.index(b"stsd"))
    data[entry + 28 : entry + 32] = struct.pack(">HH", width, height)
    track = data.index(b"tkhd") + 80  # ISO 14496-12, 8.3.2, version 0
    data[track : track + 8] = struct.pack(">II", width << 16, height << 16)
    start = data.index(b"avcC") + 10
    (length,) = struct.unpack(">H", data[start : start + 2])
    parameters = _sequence_parameters(height, width)
    assert len(parameters) <= length
    data[start + 2 : start + 2 + length] = parameters.ljust(length, b"\0")
    path.write_bytes(data)
    return path


def _sequence_parameters(height: int, width: int) -> bytes:
    """H.264 baseline, 7.3.2.1.1: a size in macroblocks, cropped."""
    bits = "".join(f"{byte:08b}" for byte in (0x67, 66, 0, 52)) + "".join(map(_exp_golomb, (0, 0, 2, 1))) + "0"
    bits += _exp_golomb((width + 15) // 16 - 1) + _exp_golomb((height + 15) // 16 - 1) + "10"
    bits += "1" + "".join(map(_exp_golomb, (0, -width % 16 // 2, 0, -height % 16 // 2))) + "01"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\0\0\0", b"\0\0\3\0")


def _exp_golomb(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits
