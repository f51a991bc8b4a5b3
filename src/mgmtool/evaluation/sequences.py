"""Videos with ground truth: object masks as images, or boxes of a MOT or COCO file."""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from mgmtool.errors import GroundTruthError, InputError
from mgmtool.sources import VIDEO_EXTENSIONS
from mgmtool.tracks import read_tracks
from mgmtool.types import Bool, Tracks

_MASK_FOLDER, _MASKS = "masks", "*.png"
_MOT_FILE, _COCO_ENDING = "gt/gt.txt", ".json"
# What Pillow raises over bytes that are not what they should be.
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error)


@dataclass(frozen=True, slots=True)
class Sequence:
    """One video and where its ground truth is.

    Attributes
    ----------
    name : str
        Name of its folder, below the folder given.
    video : Path
        The video.
    truth : Path
        Folder of one PNG file per frame, in the order of their names, in which whatever is not 0 is object; or a file of boxes,
        MOT text or COCO json.
    """

    name: str
    video: Path
    truth: Path

    def object_frames(self, count: int, height: int, width: int) -> Iterator[Bool]:
        """Yield where the object is, frame by frame.

        Parameters
        ----------
        count : int
            Frames of the video.
        height, width : int
            Displayed size of the video, pixels.

        Yields
        ------
        bool (height, width)
            True = object.

        Raises
        ------
        GroundTruthError
            Number or size of the masks differ from the video's, or a mask cannot be read.
        VideoError
            The file of boxes cannot be read.
        """
        if self.truth.is_dir():
            return masks_from_files(self.truth, count, height, width)
        return masks_from_boxes(self.truth, read_tracks(self.truth, self.name), count, height, width)


def find_sequences(folders: Iterable[str | Path]) -> list[Sequence]:
    """Find the folders with a video and its ground truth in the folders given, at any depth, in the order of their names.

    A folder is a sequence if it holds a video (``video.*``, or the only video there is) and ``masks/*.png``, ``gt/gt.txt`` (MOT)
    or a ``*.json`` file (COCO). Hidden files and folders are skipped; what is found twice is taken once.

    Raises
    ------
    InputError
        A folder is not there, or holds no sequence.
    """
    found: list[Sequence] = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise InputError(
                f"no folder at {folder}; expected one of sequences, each a video with masks/*.png or boxes"
            )
        below = (path for path in folder.rglob("*") if path.is_dir() and not _is_hidden(path.relative_to(folder)))
        named = {
            place: _text(folder.resolve().name if place == folder else place.relative_to(folder).as_posix())
            for place in sorted([folder, *below])
        }
        inside = [one for place, name in named.items() if (one := sequence_in(place, name)) is not None]
        if not inside:
            raise InputError(
                f"no sequence in {folder}; expected folders with video.* and masks/*.png, gt/gt.txt or *.json"
            )
        found += inside
    return distinct(found)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _text(path: str) -> str:
    """Escape bytes that are not UTF-8, as ids are."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def distinct(found: Iterable[Sequence]) -> list[Sequence]:
    """Count a sequence once, and tell those of one name apart by their folders: tables and means go by names."""
    files: set[tuple[Path, Path]] = set()
    known: dict[str, Sequence] = {}
    for sequence in found:
        pair = sequence.video.resolve(), sequence.truth.resolve()
        if pair in files:
            continue
        files.add(pair)
        name = sequence.name if sequence.name not in known else _text(str(sequence.video.parent.absolute()))
        known[name] = replace(sequence, name=name)
    return list(known.values())


def sequence_in(folder: Path, name: str) -> Sequence | None:
    """Return the sequence that a folder is; None if it is none.

    Raises
    ------
    InputError
        The folder cannot be read.
    """
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"cannot read folder {folder}: {error.strerror}") from None
    videos = [path for path in entries if path.suffix.lower() in VIDEO_EXTENSIONS and path.is_file()]
    video = next((path for path in videos if path.stem == "video"), videos[0] if len(videos) == 1 else None)
    masks = [folder / _MASK_FOLDER] if (folder / _MASK_FOLDER).is_dir() else []
    boxes = [folder / _MOT_FILE, *(path for path in entries if path.suffix == _COCO_ENDING)]
    truth = next(iter([*masks, *(path for path in boxes if path.is_file())]), None)
    return None if video is None or truth is None else Sequence(name, video, truth)


def natural_order(path: Path) -> tuple[list[tuple[str, int]], str]:
    """Sort key that puts ``9.png`` before ``10.png``; names that differ only in zeros go by the name."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", path.name)], path.name


def masks_from_files(folder: Path, count: int, height: int, width: int) -> Iterator[Bool]:
    """Yield the object masks of a folder, one file per frame; see :meth:`Sequence.object_frames`."""
    images = sorted((path for path in folder.glob(_MASKS) if not _is_hidden(Path(path.name))), key=natural_order)
    if not images:
        raise GroundTruthError(f"{folder}: no {_MASKS}; expected one image for each of {count} frames")
    if len(images) != count:
        raise GroundTruthError(f"{folder}: {len(images)} images for {count} frames; expected one for each")
    for path in images:
        mask = read_mask(path)
        if mask.shape != (height, width):
            size = " x ".join(map(str, mask.shape))
            raise GroundTruthError(f"{path}: an image of {size} pixels; expected {height} x {width} like the video")
        yield mask


def read_mask(path: Path) -> Bool:
    """Read an object mask; transparency is ignored.

    Raises
    ------
    GroundTruthError
        The file is no image.
    """
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            values = np.asarray(image)
    except (*_DAMAGE, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise GroundTruthError(f"{path}: cannot be read as an image: {error}; expected a PNG file") from None
    if values.ndim == 3:
        colours = 1 if values.shape[2] == 2 else 3  # what follows is transparency
        return np.asarray(values[..., :colours].any(axis=2), np.bool_)
    return np.asarray(values != 0, np.bool_)


def masks_from_boxes(path: Path, tracks: Tracks, count: int, height: int, width: int) -> Iterator[Bool]:
    """Yield the inside of the boxes of every frame; see :meth:`Sequence.object_frames`."""
    last = int(tracks.frame.max(initial=-1))
    if last >= count:
        raise GroundTruthError(
            f"{path}: a box on frame {last}, counted from 0; expected 0 to {count - 1} like the video"
        )
    for frame in range(count):
        inside = np.zeros((height, width), np.bool_)
        for y0, x0, y1, x1 in np.rint(tracks.box[tracks.frame == frame]).astype(int).clip(0).tolist():
            inside[y0:y1, x0:x1] = True
        yield inside
