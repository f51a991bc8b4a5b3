"""Films whose every picture carries its number, in any container, timing, field order and pixel format."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.packet import Packet
from av.stream import Disposition
from numpy.typing import NDArray

from support.moving import panning, with_square

Array = NDArray[Any]

HEIGHT, WIDTH = 96, 128
BITS, BAR = 6, 16
FRAME = Fraction(1, 25)
X264 = {"preset": "veryfast", "bf": "0", "refs": "1", "sc_threshold": "0", "crf": "16"}


def numbered(frames: int, height: int = HEIGHT, width: int = WIDTH) -> list[Array]:
    """Grey pictures of a moving square, with the number of the picture in black and white bars at the top left."""
    path = [(BAR + 8, 2 * t % (width - 32)) for t in range(frames)]
    pictures = with_square(panning(frames, height, width, (0, 1)), path, 32)
    for number, picture in enumerate(pictures):
        for bit in range(BITS):
            picture[:BAR, bit * BAR : (bit + 1) * BAR] = 235 if number >> bit & 1 else 16
    return pictures


def number_of(picture: Array) -> int:
    """Read the number off a picture, grey or RGB."""
    level = picture if picture.ndim == 2 else picture.mean(axis=2)
    bars = [level[4 : BAR - 4, bit * BAR + 4 : (bit + 1) * BAR - 4].mean() for bit in range(BITS)]
    return sum(int(bar > 128) << bit for bit, bar in enumerate(bars))


def write(
    path: Path,
    pictures: Sequence[Array],
    codec: str = "libx264",
    *,
    times: Sequence[int] | None = None,
    unit: Fraction = FRAME,
    pixels: str = "yuv420p",
    wrapping: dict[str, str] | None = None,
    container: str | None = None,
    **options: str,
) -> Path:
    """Write grey pictures as a film; ``wrapping`` are options of the container, ``options`` those of the encoder.

    Picture i is shown at ``times[i]`` in units of ``unit`` seconds, by default at i / 25 seconds.
    """
    with av.open(str(path), "w", format=container, options=wrapping or {}) as output:
        stream = add_stream(output, pictures[0].shape, codec, pixels, **options)
        if times is not None:
            stream.time_base = stream.codec_context.time_base = unit
        encode_into(output, stream, pictures, times, unit)
    return path


def add_stream(
    output: Any, shape: tuple[int, ...], codec: str = "libx264", pixels: str = "yuv420p", **options: str
) -> Any:
    stream = output.add_stream(codec, rate=25, options=X264 | options if codec == "libx264" else options)
    stream.pix_fmt = pixels
    stream.height, stream.width = shape
    stream.codec_context.thread_count = 1
    return stream


def encode_into(
    output: Any, stream: Any, pictures: Sequence[Array], times: Sequence[int] | None = None, unit: Fraction = FRAME
) -> None:
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format=stream.pix_fmt)
        frame.pts, frame.time_base = number if times is None else times[number], unit
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def write_two(path: Path, first: Sequence[Array], second: Sequence[Array]) -> Path:
    """Write a file of two films."""
    with av.open(str(path), "w") as output:
        streams = [add_stream(output, pictures[0].shape) for pictures in (first, second)]
        for stream, pictures in zip(streams, (first, second), strict=True):
            encode_into(output, stream, pictures)
    return path


def write_with_cover(path: Path, pictures: Sequence[Array], cover: Array) -> Path:
    """Write an mp4 film, none if there are no pictures, with a cover picture and silence."""
    with av.open(str(path), "w") as output:
        art = output.add_stream("png", rate=1)
        art.height, art.width = cover.shape
        art.pix_fmt, art.disposition = "rgb24", Disposition.attached_pic
        film = add_stream(output, pictures[0].shape) if pictures else None
        sound = output.add_stream("aac", rate=8000)
        picture = av.VideoFrame.from_ndarray(cover, format="gray").reformat(format="rgb24")
        picture.pts = 0
        output.mux(art.encode(picture) + art.encode(None))
        if film is not None:
            encode_into(output, film, pictures)
        _silence(output, sound)
    return path


def _silence(output: Any, stream: Any) -> None:
    sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
    sound.sample_rate, sound.pts, sound.time_base = 8000, 0, Fraction(1, 8000)
    output.mux(stream.encode(sound))
    output.mux(stream.encode(None))


# Edit lists, ISO 14496-12, 8.6.6.


def set_edits(path: Path, edits: Sequence[tuple[int, int]]) -> Path:
    """Replace the edit list of an mp4 film whose ``moov`` is at the end: (duration in ms, media time) each, -1 for nothing."""
    data = bytearray(path.read_bytes())
    start, stop = 0, len(data)
    parents = []
    for kind in (b"moov", b"trak", b"edts", b"elst"):
        start, stop = next((first, last) for name, first, last in boxes(data, start, stop) if name == kind)
        parents.append(start)
        start += 8
    entries = b"".join(struct.pack(">IiI", duration, media, 1 << 16) for duration, media in edits)
    elst = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(edits)) + entries
    grown = len(elst) - (stop - parents[-1])
    for parent in parents[:-1]:
        struct.pack_into(">I", data, parent, struct.unpack_from(">I", data, parent)[0] + grown)
    data[parents[-1] : stop] = elst
    path.write_bytes(data)
    return path


def boxes(data: bytes | bytearray, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the boxes between two places."""
    while start + 8 <= stop:
        size, kind = struct.unpack_from(">I4s", data, start)
        yield kind, start, start + size
        start += size


# Packed B-frames: what DivX did to put frames that need a delay into AVI, which has none.


def pack_b_frames(plain: Path, target: Path) -> Path:
    """Rewrite an AVI film of MPEG-4 part 2: a B-frame shares the chunk of the frame before it, an empty frame takes its place."""
    with av.open(str(plain)) as source, av.open(str(target), "w") as output:
        stream = source.streams.video[0]
        copy = output.add_stream_from_template(stream)
        for number, (data, key) in enumerate(_packed(source, stream)):
            packet = Packet(data)
            packet.pts = packet.dts = number
            packet.time_base, packet.stream, packet.is_keyframe = FRAME, copy, key
            output.mux(packet)
    return target


_VOP = b"\0\0\1\xb6"
_NOT_CODED = _VOP + b"\x50\x4f"  # a P-frame that says only that it is not coded; right for 25 frames a second


def _packed(source: Any, stream: Any) -> list[tuple[bytes, bool]]:
    chunks: list[tuple[bytes, bool]] = []
    for packet in source.demux(stream):
        if packet.size:
            # Decoders look for the second frame in a chunk only where the encoder names itself so.
            data = re.sub(rb"Lavc[0-9.]+", b"DivX503b1393p", bytes(packet))
            if data[data.index(_VOP) + 4] >> 6 == 2:
                before, key = chunks[-1]
                chunks[-1:] = [(before + data, key), (_NOT_CODED, False)]
            else:
                chunks.append((data, packet.is_keyframe))
    return chunks


# Field pictures, which no encoder here writes: MPEG-2, ISO 13818-2, 6.2.


def field_coded(frames: int, height: int = HEIGHT, width: int = WIDTH) -> bytes:
    """MPEG-2 of field pictures, numbered like :func:`numbered`; the lower part is predicted from the field before."""
    sequence = _code(0xB3, f"{width:012b}{height:012b}00010011{2500:018b}1{112:010b}000")
    extension = _code(0xB5, f"0001{0x48:08b}0010000{0:012b}1{0:08b}000{0:05b}")
    group = _code(0xB8, f"{0:012b}1{0:012b}10")
    pictures = [_field(height, width, number, parity) for number in range(frames) for parity in (1, 2)]
    return b"".join([sequence, extension, group, *pictures, b"\0\0\1\xb7"])


def _field(height: int, width: int, number: int, parity: int) -> bytes:
    predicted = (number, parity) != (0, 1)
    header = f"{number:010b}{2 if predicted else 1:03b}{0xFFFF:016b}{'0111' if predicted else ''}0"
    reach = "0001000111111111" if predicted else "1111111111111111"
    slices = [_slice(row, width, number, predicted) for row in range(height // 32)]
    return _code(0, header) + _code(0xB5, f"1000{reach}00{parity:02b}{0:010b}") + b"".join(slices)


def _slice(row: int, width: int, number: int, predicted: bool) -> bytes:
    bits, before = "001000", 128
    for column in range(width // 16):
        if row and predicted:
            bits += "1001" + "010" + "11"  # motion compensated, nothing coded; from the top field; vector (0, 0)
        else:
            level = 128 if row else (235 if number >> column & 1 else 16)
            bits += ("100011" if predicted else "11") + _flat(level - before)
            before = level
    return _code(row + 1, bits)


_DC_SIZES = ("100", "00", "01", "101", "110", "1110", "11110", "111110", "1111110")


def _flat(difference: int) -> str:
    """Six blocks that differ from those before only in their brightness."""
    size = abs(difference).bit_length()
    value = difference if difference > 0 else difference + (1 << size) - 1
    first = _DC_SIZES[size] + (f"{value:0{size}b}" if size else "")
    return first + "10" + (_DC_SIZES[0] + "10") * 3 + "0010" * 2


def _code(kind: int, bits: str) -> bytes:
    padded = bits + "0" * (-len(bits) % 8)
    return b"\0\0\1" + bytes([kind]) + int(padded, 2).to_bytes(len(padded) // 8, "big")
