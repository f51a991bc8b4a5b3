"""Tiny films with ground truth: a textured square that moves over a texture that pans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from support.moving import Place, encode, panning, square_path, with_square

FRAMES, HEIGHT, WIDTH, SIDE = 40, 128, 192, 40

Array = NDArray[Any]


def path_of(frames: int = FRAMES, start: Place = (20, 140), step: Place = (1, -3)) -> list[Place]:
    """Top left pixel of the square in every frame."""
    return square_path(frames, start, step)


def masks_of(path: list[Place], height: int = HEIGHT, width: int = WIDTH, side: int = SIDE) -> list[Array]:
    """Where the square is."""
    masks = [np.zeros((height, width), np.bool_) for _ in path]
    for mask, (top, left) in zip(masks, path, strict=True):
        mask[max(top, 0) : top + side, max(left, 0) : left + side] = True
    return masks


def write_film(file: Path, path: list[Place], seed: int = 0, codec: str = "libx264", **options: str) -> Path:
    """Encode the square on its path over a background that pans by 2 pixels a frame."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pictures = with_square(panning(len(path), HEIGHT, WIDTH, (0, 2), seed), path, SIDE, seed + 99)
    return encode(file, pictures, codec, **options)


def write_masks(folder: Path, masks: list[Array]) -> Path:
    """Write one picture a frame."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, mask in enumerate(masks):
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"{number:05}.png")
    return folder


def write_mot(file: Path, path: list[Place], side: int = SIDE) -> Path:
    """Write the square as boxes of a MOT file, which counts frames from 1."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{t},1,{x},{y},{side},{side},1\n" for t, (y, x) in enumerate(path, 1)))
    return file


def write_sequence(folder: Path, path: list[Place] | None = None, seed: int = 0) -> Path:
    """Write film and masks into a folder."""
    known = path or path_of()
    write_film(folder / "video.mp4", known, seed)
    write_masks(folder / "masks", masks_of(known))
    return folder
