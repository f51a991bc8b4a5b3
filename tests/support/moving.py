"""Clips whose motion is known: textures that pan, squares that move over them, in any codec and orientation."""

from __future__ import annotations

import struct
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from mgmtool.types import VideoRef

Array = NDArray[Any]
Place = tuple[int, int]

MATRICES = {
    "upright": (1, 0, 0, 1),
    "turned-90": (0, 1, -1, 0),
    "turned-180": (-1, 0, 0, -1),
    "turned-270": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "upside-down": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "anti-transposed": (0, -1, -1, 0),
}
"""The eight display matrices of right angles as (a, b, c, d): a coded point (p, q) is shown at (a p + c q, b p + d q)."""

X264 = {"preset": "veryfast", "bf": "0", "refs": "1", "sc_threshold": "0"}


def texture(height: int, width: int, seed: int = 0) -> Array:
    """Grey levels 16..235 with detail of 32 pixels for the eye of a cut detector and of 6 for that of an encoder."""
    rng = np.random.default_rng(seed)
    values = 0.65 * _noise(rng, height, width, 32) + 0.35 * _noise(rng, height, width, 6)
    return np.asarray(16 + 219 * values, np.uint8)


def _noise(rng: np.random.Generator, height: int, width: int, side: int) -> Array:
    """Random values 0..1 every ``side`` pixels, linear in between."""
    knots = rng.random((height // side + 2, width // side + 2))
    y, x = np.arange(height) / side, np.arange(width) / side
    rows = np.stack([np.interp(y, np.arange(len(knots)), column) for column in knots.T], axis=1)
    return np.stack([np.interp(x, np.arange(rows.shape[1]), row) for row in rows])


def panning(frames: int, height: int, width: int, step: Place = (0, 4), seed: int = 0) -> list[Array]:
    """Pictures of a texture that moves by ``step`` (dy, dx) pixels a frame."""
    dy, dx = step
    whole = texture(height + frames * abs(dy), width + frames * abs(dx), seed)
    tops = [(frames if dy > 0 else 0) * abs(dy) - t * dy for t in range(frames)]
    lefts = [(frames if dx > 0 else 0) * abs(dx) - t * dx for t in range(frames)]
    return [whole[top : top + height, left : left + width].copy() for top, left in zip(tops, lefts, strict=True)]


def square_path(frames: int, start: Place, step: Place) -> list[Place]:
    """Top left pixel of a square that moves by ``step`` a frame."""
    return [(start[0] + t * step[0], start[1] + t * step[1]) for t in range(frames)]


def with_square(pictures: Sequence[Array], path: Sequence[Place], side: int, seed: int = 99) -> list[Array]:
    """Paste a textured square on copies of the pictures."""
    patch = texture(side, side, seed)
    pasted = [picture.copy() for picture in pictures]
    for picture, (top, left) in zip(pasted, path, strict=True):
        picture[top : top + side, left : left + side] = patch
    return pasted


def encode(path: Path, pictures: Sequence[Array], codec: str = "libx264", **options: str) -> Path:
    """Write grey pictures of even sizes as a film of 25 frames a second; the ending of the path decides the container."""
    wrapping = {"movflags": "faststart"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=wrapping) as container:
        stream: Any = container.add_stream(codec, rate=25, options=X264 | options if codec == "libx264" else options)
        stream.pix_fmt = "yuv420p"
        stream.height, stream.width = pictures[0].shape
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(pictures):
            container.mux(stream.encode(_frame(picture, number)))
        container.mux(stream.encode(None))
    return path


def _frame(picture: Array, number: int) -> av.VideoFrame:
    height, width = picture.shape
    grey = np.full((height // 2, width), 128, np.uint8)
    frame = av.VideoFrame.from_ndarray(np.concatenate([picture, grey]), format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, 25)
    return frame


def turn(path: Path, matrix: Sequence[int]) -> Path:
    """Write a display matrix (a, b, c, d) into the track header of an mp4 file."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 44  # ISO 14496-12, 8.3.2, version 0
    a, b, c, d = matrix
    one = 1 << 16
    data[start : start + 36] = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def silence(path: Path) -> Path:
    """Write half a second of sound and no picture."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    return path


def cut_short(path: Path, share: float) -> Path:
    """Keep only the first share of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def ref(path: Path) -> VideoRef:
    """Make the reference a corpus scan would make."""
    return VideoRef(path.name, str(path))
