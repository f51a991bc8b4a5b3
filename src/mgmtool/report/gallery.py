"""Previews: short excerpts of videos with their masks, as small animations."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mgmtool.drawing import Layers, MaskPainter, fitted, resize, webp_bytes
from mgmtool.errors import InputError, MgmtoolError, UsageError
from mgmtool.report.samples import Sample
from mgmtool.report.tables import shortened
from mgmtool.storage import is_url, local_copy
from mgmtool.store import Scan
from mgmtool.types import MaskVolume, UInt8, VideoRef
from mgmtool.video.pictures import read_pictures

BYTES = 4_000_000
"""Most bytes of all previews of a report together; in a page they take a third more."""

_LATEST = 600
"""Last frame at which an excerpt may start: every frame before it has to be decoded."""

_SECONDS, _FPS, _USUAL_FPS = 3.0, 8.0, 25.0
_LOOKS = ((320, 50), (320, 25), (224, 25), (160, 20), (112, 10))
"""Longest side in pixels and quality, tried in turn until a preview is small enough."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A sample and its animation.

    Attributes
    ----------
    sample : Sample
        The video.
    first, last : int
        First and last of the frames that are shown, which are evenly spaced.
    height, width : int
        Size of the animation in pixels.
    animation, still : bytes
        WebP; empty if the sample cannot be drawn.
    problem : str
        Why the sample cannot be drawn; empty if it can.
    """

    sample: Sample
    first: int = 0
    last: int = 0
    height: int = 0
    width: int = 0
    animation: bytes = b""
    still: bytes = b""
    problem: str = ""


def preview(scan: Scan, sample: Sample, *, root: str | None, hottest: float, most_bytes: int) -> Preview:
    """Draw an excerpt of a video with its masks; an error becomes the problem of the preview.

    Parameters
    ----------
    scan : Scan
        The store.
    sample : Sample
        The video.
    root : path or URL, optional
        Folder in which the videos lie now; by default each is where it was when it was extracted.
    hottest : float
        Energy shown in the hottest colour.
    most_bytes : int
        Room for animation and still together.
    """
    row = sample.row
    fps = row["fps"] or _USUAL_FPS
    frames = excerpt(row["num_frames"], fps)
    try:
        with local_copy(VideoRef(row["id"], current_path(row, root))) as local:
            check_file(local.path, row)
            drawn = draw_excerpt(scan, row, local.path, frames, hottest)
        shown_ms = max(20, round(1000 * frames.step / fps))
        height, width, animation, still = encode_preview(drawn, shown_ms, most_bytes)
    except (MgmtoolError, OSError) as error:
        return Preview(sample, problem=shortened(str(error)))
    return Preview(sample, frames[0], frames[-1], height, width, animation, still)


def excerpt(count: int, fps: float) -> range:
    """Choose the frames to show: some seconds from the middle, or from as late as decoding is still cheap."""
    step = max(1, round(fps / _FPS))
    span = min(count, max(step, round(_SECONDS * _FPS) * step))
    first = min((count - span) // 2, _LATEST)
    return range(first, first + span, step)


def current_path(row: Mapping[str, Any], root: str | None) -> str:
    """Return the path or URL of a video now; the index escapes bytes of names that are not UTF-8."""
    if root is None:
        name = str(row["path"])
    else:
        name = f"{root.rstrip('/')}/{row['id']}" if is_url(root) else os.path.join(root, row["id"])  # noqa: PTH118
    if is_url(name) or os.path.lexists(name):
        return name
    return re.sub(r"\\udc([89a-f][0-9a-f])", lambda found: chr(0xDC00 + int(found[1], 16)), name)


def check_file(path: str, row: Mapping[str, Any]) -> None:
    """Refuse a file that is missing or has another size than when it was extracted.

    Raises
    ------
    InputError
        There is no such file.
    UsageError
        Its size has changed.
    """
    if not os.path.exists(path):  # noqa: PTH110  any bytes the system has
        raise InputError(f"no file {path}; --root names the folder in which the videos lie now")
    size, known = os.stat(path).st_size, row["size_bytes"]  # noqa: PTH116
    if known not in (None, -1, size):
        raise UsageError(f"the file has changed since: it has {size} bytes, not {known}")


def draw_excerpt(scan: Scan, row: Mapping[str, Any], path: str, frames: range, hottest: float) -> list[UInt8]:
    """Decode some frames and draw their masks on them, at the largest size of a preview.

    Raises
    ------
    UsageError
        The file ends before the last frame.
    VideoError
        The file cannot be decoded.
    """
    first, last, drawn = frames[0], frames[-1], list[UInt8]()
    names = ("mask", "box", "pts", "flags", "energy", "energy_scale")
    painter = MaskPainter(MaskVolume(**scan.frames(row, names, first, last + 1)), Layers(), hottest)
    shape = row["height"], row["width"]
    size = fitted(*shape, _LOOKS[0][0])
    with closing(read_pictures(path, lambda i: i > last or i in frames, reading=scan.spec.reading)) as decoded:
        for frame in decoded:
            if frame.index <= last:
                drawn.append(painter.paint(resize(frame.rgb, *size), frame.index - first, shape))
            if frame.index >= last:
                break
    if len(drawn) != len(frames):
        raise UsageError(f"the file ends before frame {last}; expected {row['num_frames']} frames")
    return drawn


def encode_preview(frames: Sequence[UInt8], shown_ms: int, most_bytes: int) -> tuple[int, int, bytes, bytes]:
    """Encode frames as WebP, smaller and coarser until they fit; returns height, width, animation and still.

    Raises
    ------
    UsageError
        They do not fit.
    """
    for side, quality in _LOOKS:
        height, width = fitted(frames[0].shape[0], frames[0].shape[1], side)
        small = [resize(frame, height, width) for frame in frames]
        still = webp_bytes(small[len(small) // 2 :][:1], quality)
        animation = webp_bytes(small, quality, shown_ms)
        if len(still) + len(animation) <= most_bytes:
            return height, width, animation, still
    raise UsageError(f"no room: its frames take more than {most_bytes} bytes")
