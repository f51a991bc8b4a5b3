"""Small animated pictures of videos with their masks."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from mgmtool.drawing import fitted, overlay, resize
from mgmtool.errors import InputError, MgmtoolError, UsageError
from mgmtool.report.samples import Sample
from mgmtool.report.tables import shortened
from mgmtool.storage import is_url, local_copy
from mgmtool.store import Store
from mgmtool.types import UInt8, VideoRef
from mgmtool.video.pictures import read_pictures

BYTES = 4_000_000
"""Most bytes of all pictures of a report together; a page of text makes them a third larger."""

_LATEST = 600
"""Last frame at which an excerpt may start: every frame before it has to be decoded."""

_SECONDS, _FPS, _USUAL_FPS = 3.0, 8.0, 25.0
_LOOKS = ((320, 50), (320, 25), (224, 25), (160, 20), (112, 10))
"""Longest side in pixels and quality, tried until the pictures are small enough."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample and its pictures.

    Attributes
    ----------
    sample : Sample
        The video.
    first, last : int
        Frames that are shown, at even distances.
    height, width : int
        Size of the pictures.
    animation, still : bytes
        WebP; empty where there are none.
    problem : str
        Why there are none.
    """

    sample: Sample
    first: int = 0
    last: int = 0
    height: int = 0
    width: int = 0
    animation: bytes = b""
    still: bytes = b""
    problem: str = ""


def show(store: Store, sample: Sample, *, root: str | None, hottest: float, most_bytes: int) -> Shown:
    """Draw an excerpt of a video with its masks; what goes wrong becomes its problem.

    Parameters
    ----------
    store : Store
        The store.
    sample : Sample
        The video.
    root : path or URL, optional
        Folder in which the videos lie now; by default each is where it was when it was extracted.
    hottest : float
        Energy that is shown hottest.
    most_bytes : int
        Room for the pictures.
    """
    frames = _excerpt(sample.row["num_frames"], sample.row["fps"] or _USUAL_FPS)
    try:
        with local_copy(VideoRef(sample.row["id"], _place(sample.row, root))) as local:
            _check_file(local.path, sample.row)
            pictures = _drawn(store, sample.row, local.path, frames, hottest)
        height, width, animation, still = _small_enough(pictures, frames, sample.row["fps"] or _USUAL_FPS, most_bytes)
    except (MgmtoolError, OSError) as error:
        return Shown(sample, problem=shortened(str(error)))
    return Shown(sample, frames[0], frames[-1], height, width, animation, still)


def _excerpt(count: int, fps: float) -> range:
    """Frames to show: some seconds from the middle, or from as late as decoding is still cheap."""
    step = max(1, round(fps / _FPS))
    span = min(count, max(step, round(_SECONDS * _FPS) * step))
    first = min((count - span) // 2, _LATEST)
    return range(first, first + span, step)


def _place(row: Mapping[str, Any], root: str | None) -> str:
    """Say where a video lies now; bytes of its name that are not UTF-8 are escaped in the index."""
    if root is None:
        name = str(row["path"])
    else:
        name = f"{root.rstrip('/')}/{row['id']}" if is_url(root) else os.path.join(root, row["id"])  # noqa: PTH118
    if is_url(name) or os.path.lexists(name):
        return name
    return re.sub(r"\\udc([89a-f][0-9a-f])", lambda found: chr(0xDC00 + int(found[1], 16)), name)


def _check_file(path: str, row: Mapping[str, Any]) -> None:
    if not os.path.exists(path):  # noqa: PTH110  any bytes the system has
        raise InputError(f"no file {path}; --root names the folder in which the videos lie now")
    size, known = os.stat(path).st_size, row["size_bytes"]  # noqa: PTH116
    if known not in (None, -1, size):
        raise UsageError(f"the file has changed since: it has {size} bytes, not {known}")


def _drawn(store: Store, row: Mapping[str, Any], path: str, frames: range, hottest: float) -> list[UInt8]:
    """Decode the frames and draw their masks on them, at the largest size that is kept."""
    draw = _pen(store, row, frames, hottest)
    last, drawn = frames[-1], list[UInt8]()
    with closing(read_pictures(path, lambda i: i > last or i in frames, reading=store.spec.reading)) as pictures:
        for picture in pictures:
            if picture.index <= last:
                drawn.append(draw(picture.index, picture.rgb))
            if picture.index >= last:
                break
    if len(drawn) != len(frames):
        raise UsageError(f"the file ends before frame {last}; expected {row['num_frames']} frames")
    return drawn


def _pen(store: Store, row: Mapping[str, Any], frames: range, hottest: float) -> Callable[[int, UInt8], UInt8]:
    """Read the masks of an excerpt; returns what draws them on one of its pictures."""
    start, names = row["row_start"], ("mask", "box", "energy", "energy_scale")
    stored = store.arrays.read(row["part"], names, start + frames[0], start + frames[-1] + 1)
    height, width = fitted(row["height"], row["width"], _LOOKS[0][0])
    scale = np.array([height / row["height"], width / row["width"]] * 2)

    def draw(index: int, picture: UInt8) -> UInt8:
        at = {name: values[index - frames[0]] for name, values in stored.items()}
        heat = np.asarray(at["energy"] * (at["energy_scale"] / hottest), np.float32) if "energy" in at else None
        box = np.round(at["box"] * scale).astype(int).tolist()
        return overlay(resize(picture, height, width), mask=at["mask"], box=box, energy=heat)

    return draw


def _small_enough(
    pictures: Sequence[UInt8], frames: range, fps: float, most_bytes: int
) -> tuple[int, int, bytes, bytes]:
    """Encode pictures, smaller and coarser until they fit; returns height, width, animation and still."""
    shown_ms = max(20, round(1000 * frames.step / fps))
    for side, quality in _LOOKS:
        height, width = fitted(pictures[0].shape[0], pictures[0].shape[1], side)
        images = [Image.fromarray(resize(picture, height, width)) for picture in pictures]
        still = _webp(images[len(images) // 2], quality)
        animation = _webp(images[0], quality, append_images=images[1:], duration=shown_ms)
        if len(still) + len(animation) <= most_bytes:
            return height, width, animation, still
    raise UsageError(f"no room: its pictures take more than {most_bytes} bytes")


def _webp(image: Image.Image, quality: int, **animation: Any) -> bytes:
    file = io.BytesIO()
    image.save(
        file,
        format="WEBP",
        quality=quality,
        method=4,
        **({"save_all": True, "loop": 0} if animation else {}),
        **animation,
    )
    return file.getvalue()
