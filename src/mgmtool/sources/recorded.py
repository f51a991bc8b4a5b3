"""Motion fields saved earlier, replayed frame by frame."""

from __future__ import annotations

import dataclasses
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import OpenFailure, ReadFailure, VideoError
from mgmtool.sources._frames import ASKED_FOR
from mgmtool.sources.base import MotionStream
from mgmtool.types import FrameMotion, Orientation, VideoFacts, VideoInfo, VideoRef

EXTENSION = ".motion"
_FORMAT = "mgmtool motion 1"
_BLOCK = 256
# What zipfile, zlib, json and NumPy raise over bytes that are not what they should be.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, FileNotFoundError, IsADirectoryError),
    *(AttributeError, LookupError, TypeError, ValueError, OverflowError, ZeroDivisionError, RuntimeError),
)


@dataclass(frozen=True)
class Recorded:
    """Motion fields saved earlier by ``mgmtool.sources.recorded.save`` (``*.motion`` files), from any method."""

    extensions: ClassVar[tuple[str, ...]] = (EXTENSION,)

    @contextmanager
    def open(self, video: VideoRef, *, motion: bool, luma: bool, chroma: bool = False) -> Iterator[MotionStream]:
        """See :meth:`mgmtool.sources.Source.open`; what was not recorded cannot be delivered and is None."""
        with _failures():
            archive = zipfile.ZipFile(video.path)
        with archive:
            with _failures():
                facts, cell = read_header(archive, video.path)
            yield MotionStream(facts.info, replay(archive, cell, (motion, motion, luma, chroma)), lambda: facts)


@contextmanager
def _failures() -> Iterator[None]:
    """Name what is wrong with the file; what goes wrong with the frames once they are handed out is not its fault."""
    try:
        yield
    except VideoError:
        raise
    except _DAMAGE as error:
        raise OpenFailure(f"not a file of recorded motion ({_FORMAT}): {error}") from None
    except OSError as error:
        raise ReadFailure(f"cannot read the file: {error.strerror or error}") from None


def save(path: str | Path, stream: MotionStream) -> None:
    """Record a stream of motion, block by block, so that memory does not grow with its length.

    Parameters
    ----------
    path : path
        File to write; by custom it ends in ``.motion``. A zip archive of npy files and a JSON header.
    stream : MotionStream
        Its frames are consumed. Every frame must have the same cells.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        block: list[FrameMotion] = []
        cell = 0
        numbers = count()
        for frame in stream.frames:
            cell = frame.cell
            block.append(frame)
            if len(block) == _BLOCK:
                _write_block(archive, next(numbers), block)
                block = []
        if block:
            _write_block(archive, next(numbers), block)
        facts = stream.facts()
        values, info = dataclasses.asdict(facts), facts.info
        values["info"] |= {"fps": None if info.fps is None else str(info.fps), "time_base": str(info.time_base)}
        values["info"] |= {"pixel_aspect": str(info.pixel_aspect)}
        archive.writestr("header.json", json.dumps({"format": _FORMAT, "cell": cell, "facts": values}, indent=1))


_SCALARS = {
    "pts": np.int64,
    "key_frame": np.bool_,
    "corrupt": np.bool_,
    "has_vectors": np.bool_,
    "height": np.int32,
    "width": np.int32,
}
_FIELDS = ("displacement", "coverage", "luma", "chroma")


def _write_block(archive: zipfile.ZipFile, number: int, block: list[FrameMotion]) -> None:
    arrays: dict[str, NDArray[Any]] = {
        name: np.array([getattr(frame, name) for frame in block], dtype) for name, dtype in _SCALARS.items()
    }
    for name in _FIELDS:
        if getattr(block[0], name) is not None:
            arrays[name] = np.stack([getattr(frame, name) for frame in block])
    for name, array in arrays.items():
        with archive.open(f"{number:06}/{name}.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array(file, array, allow_pickle=False)


def replay(archive: zipfile.ZipFile, cell: int, asked: tuple[bool, ...]) -> Iterator[FrameMotion]:
    """Yield the frames of a recording, with those of displacement, coverage, luma and chroma that are asked for."""
    members = set(archive.namelist())
    wanted = [name for name, yes in zip(_FIELDS, asked, strict=True) if yes]
    index = 0
    for number in count():
        if f"{number:06}/pts.npy" not in members:
            return
        names = [*_SCALARS, *(name for name in wanted if f"{number:06}/{name}.npy" in members)]
        with _failures():
            arrays: dict[str, NDArray[Any]] = {}
            for name in names:
                with archive.open(f"{number:06}/{name}.npy") as file:
                    arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
            check_arrays(arrays, cell)
        for i in range(len(arrays["pts"])):
            values: dict[str, Any] = {name: arrays[name][i].item() for name in _SCALARS}
            values |= {name: arrays[name][i] if name in arrays else None for name in _FIELDS}
            yield FrameMotion(index=index, cell=cell, **values)
            index += 1


def check_arrays(arrays: dict[str, NDArray[Any]], cell: int) -> None:
    """Refuse arrays that do not belong together: compiled code checks no index."""
    height, width = arrays["height"], arrays["width"]
    if not all(arrays[name].shape == height.shape == (len(height),) for name in _SCALARS):
        raise ValueError("arrays differ in length")
    for name in arrays.keys() & set(_FIELDS):
        shape = arrays[name].shape
        grid = shape[2:4] if name == "chroma" else shape[1:3]
        rest = {"displacement": shape[3:] == (2,), "chroma": shape[1:2] == (2,)}.get(name, len(shape) == 3)
        fits = rest and len(shape) == 3 + (name in {"displacement", "chroma"}) and shape[0] == len(height)
        sides = np.array(grid) * cell // (2 if name == "luma" else 1)
        spare = [sides[k] - side for k, side in enumerate((height, width))] if fits else []
        if not fits or any(((s < 0) | (s >= cell)).any() for s in spare) or (np.minimum(height, width) <= 0).any():
            raise ValueError(f"{name} has the shape {shape}, which does not fit the pictures")
        if arrays[name].dtype != np.float32 or not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} holds other values than finite float32")


def read_header(archive: zipfile.ZipFile, path: str) -> tuple[VideoFacts, int]:
    """Read the facts of a recording, and the side of its cells in pixels."""
    header = json.loads(archive.read("header.json"))
    if header.get("format") != _FORMAT:
        raise OpenFailure(f"recorded motion has the format {header.get('format')!r}; expected {_FORMAT!r} in {path}")
    values, info = header["facts"], header["facts"]["info"]
    info["orientation"] = Orientation(**info["orientation"])
    info["fps"] = None if info["fps"] is None else Fraction(info["fps"])
    info["time_base"] = Fraction(info["time_base"])
    info["pixel_aspect"] = Fraction(info.get("pixel_aspect", 1))  # absent from older files
    values |= {"info": VideoInfo(**info), "source": "recorded", "index_risk": tuple(values["index_risk"])}
    values |= {"source_reason": ASKED_FOR}
    cell = header["cell"]
    if not isinstance(cell, int) or cell < 1:
        raise ValueError(f"cell is {cell!r}; expected a whole number above 0")
    return VideoFacts(**values), cell


PLUGIN = Recorded
