"""Colour clips with a marked corner and a moving square, in every orientation, to compare what comes out with what went in."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from mgmtool.types import MaskVolume
from support.moving import MATRICES, panning, square_path, texture, turn

Array = NDArray[Any]

SIDE = 48
"""Side of the moving square, in pixels."""

MARKER = 24
"""Side of the markers: red at the top left, blue at the top right."""


@dataclass(frozen=True)
class Clip:
    """A film and what it shows.

    ``pictures``: uint8 (height, width, 3) each, in displayed orientation, before encoding. ``boxes``: int (frames, 4), the
    moving square as ``y0 x0 y1 x1``, half-open.
    """

    path: Path
    pictures: list[Array]
    boxes: Array

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.pictures[0].shape[:2]
        return height, width


def moving_square(frames: int, height: int, width: int, seed: int = 0) -> tuple[list[Array], Array]:
    """A textured square that moves down and right over a texture that pans left; corners of the picture are marked."""
    ground = panning(frames, height, width, step=(0, -2), seed=seed)
    start = (height // 3, width // 4)
    path = np.array(square_path(frames, start, (1, 3)))
    path = np.minimum(path, [height - SIDE, width - SIDE])
    square = texture(SIDE, SIDE, seed + 99)
    pictures = [np.repeat(grey[..., None], 3, axis=2) for grey in ground]
    for picture, (top, left) in zip(pictures, path, strict=True):
        picture[top : top + SIDE, left : left + SIDE] = square[..., None]
        picture[:MARKER, :MARKER] = (220, 20, 20)
        picture[:MARKER, -MARKER:] = (20, 20, 220)
    return pictures, np.concatenate([path, path + SIDE], axis=1)


def write_clip(
    path: Path,
    *,
    frames: int = 24,
    height: int = 192,
    width: int = 256,
    codec: str = "libx264",
    bframes: int = 0,
    shown: str = "upright",
    fps: Fraction | int = 25,
) -> Clip:
    """Write an mp4 clip whose displayed size is ``height`` x ``width``; ``shown`` is one of :data:`moving.MATRICES`."""
    pictures, boxes = moving_square(frames, height, width)
    encode_rgb(path, [coded(picture, MATRICES[shown]) for picture in pictures], codec, bframes, fps)
    if shown != "upright":
        turn(path, MATRICES[shown])
    return Clip(path, pictures, boxes)


def coded(picture: Array, matrix: tuple[int, int, int, int]) -> Array:
    """Undo a display matrix pixel by pixel: a coded point (p, q) is shown at (a p + c q, b p + d q)."""
    a, b, c, d = matrix
    height, width = picture.shape[:2]
    rows, columns = (height, width) if a else (width, height)
    q, p = np.mgrid[:rows, :columns]
    x, y = a * p + c * q, b * p + d * q
    return np.ascontiguousarray(picture[y - y.min(), x - x.min()])


def encode_rgb(path: Path, pictures: list[Array], codec: str, bframes: int, fps: Fraction | int) -> None:
    """Encode RGB pictures of even sizes, at a quality that keeps colours."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=fps)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "16", "bf": str(bframes), "sc_threshold": "0"}
        else:
            stream.bit_rate, stream.codec_context.max_b_frames = 4_000_000, bframes
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def volume_for(clip: Clip, rows: int = 14, cols: int = 14) -> MaskVolume:
    """Masks that hide the patches under the square of a clip, its box, and energy in the cell at its middle."""
    count, (height, width) = len(clip.pictures), clip.shape
    mask = np.zeros((count, rows, cols), np.bool_)
    energy = np.zeros((count, 16, 16), np.uint8)
    for i, (y0, x0, y1, x1) in enumerate(clip.boxes.tolist()):
        mask[i, y0 * rows // height : -(-y1 * rows // height), x0 * cols // width : -(-x1 * cols // width)] = True
        energy[i, (y0 + y1) * 8 // height, (x0 + x1) * 8 // width] = 255
    pts = np.arange(count, dtype=np.int64) * 512
    flags = np.full(count, 2, np.uint8)
    return MaskVolume(mask, clip.boxes.astype(np.int16), pts, flags, energy, np.full(count, 0.01, np.float32))
