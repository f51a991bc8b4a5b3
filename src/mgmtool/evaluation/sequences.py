"""Films with ground truth: object masks as pictures, or boxes of a MOT or COCO file."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mgmtool.errors import GroundTruthError, InputError
from mgmtool.sources import VIDEO_EXTENSIONS
from mgmtool.tracks import read_tracks
from mgmtool.types import Bool, Tracks

_MASK_FOLDER, _MASKS = "masks", "*.png"
_BOX_FILES = ("gt/gt.txt", "*.json")


@dataclass(frozen=True, slots=True)
class Sequence:
    """One film and where its ground truth is.

    Attributes
    ----------
    name : str
        Name of its folder, below the folder given.
    video : Path
        The film.
    truth : Path
        Folder of one PNG picture a frame, in the order of their names, where whatever is not 0 is object; or a file of boxes, MOT
        text or COCO json.
    """

    name: str
    video: Path
    truth: Path

    def object_frames(self, count: int, height: int, width: int) -> Iterator[Bool]:
        """Yield where the object is, frame by frame.

        Parameters
        ----------
        count : int
            Frames of the film.
        height, width : int
            Displayed size of the film, pixels.

        Yields
        ------
        bool (height, width)
            True = object.

        Raises
        ------
        GroundTruthError
            Number or size of the pictures differ from the film's, or a picture cannot be read.
        VideoError
            The file of boxes cannot be read.
        """
        if self.truth.is_dir():
            return _from_pictures(self.truth, count, height, width)
        return _from_boxes(self.truth, read_tracks(self.truth, self.name), count, height, width)


def find_sequences(folders: Iterable[str | Path]) -> list[Sequence]:
    """Find the folders with a film and its ground truth in the folders given, at any depth, in the order of their names.

    A folder is a sequence if it holds a film (``video.*``, or the only film there is) and ``masks/*.png``, ``gt/gt.txt`` (MOT)
    or a ``*.json`` file (COCO).

    Raises
    ------
    InputError
        A folder is not there, or holds no sequence.
    """
    found: list[Sequence] = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise InputError(f"no folder at {folder}; expected one of sequences, each a film with masks/*.png or boxes")
        before = len(found)
        for place in sorted([folder, *(path for path in folder.rglob("*") if path.is_dir())]):
            name = place.name if place == folder else place.relative_to(folder).as_posix()
            found += _sequence_in(place, name)
        if len(found) == before:
            raise InputError(
                f"no sequence in {folder}; expected folders with video.* and masks/*.png, gt/gt.txt or *.json"
            )
    return found


def _sequence_in(folder: Path, name: str) -> list[Sequence]:
    """Return the sequence a folder is, in a list; an empty one if it is none."""
    films = sorted(p for p in folder.iterdir() if p.suffix.lower() in VIDEO_EXTENSIONS and p.is_file())
    film = next((p for p in films if p.stem == "video"), films[0] if len(films) == 1 else None)
    truths = [folder / _MASK_FOLDER, *(path for pattern in _BOX_FILES for path in sorted(folder.glob(pattern)))]
    truth = next((path for path in truths if path.exists()), None)
    return [] if film is None or truth is None else [Sequence(name, film, truth)]


def _by_number(path: Path) -> list[tuple[int, str]]:
    """Sort key that puts ``9`` before ``10``."""
    return [(int(digits or 0), text) for text, digits in re.findall(r"(\D*)(\d*)", path.name)]


def _from_pictures(folder: Path, count: int, height: int, width: int) -> Iterator[Bool]:
    pictures = sorted(folder.glob(_MASKS), key=_by_number)
    if not pictures:
        raise GroundTruthError(f"{folder}: no {_MASKS}; expected one picture for each of {count} frames")
    if len(pictures) != count:
        raise GroundTruthError(f"{folder}: {len(pictures)} pictures for {count} frames; expected one for each")
    for path in pictures:
        mask = _read_mask(path)
        if mask.shape != (height, width):
            size = " x ".join(map(str, mask.shape))
            raise GroundTruthError(f"{path}: a picture of {size} pixels; expected {height} x {width} like the film")
        yield mask


def _read_mask(path: Path) -> Bool:
    try:
        with warnings.catch_warnings(), Image.open(path) as picture:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            values = np.asarray(picture)
    except (OSError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise GroundTruthError(f"{path}: cannot be read as a picture: {error}") from None
    if values.ndim == 3:
        colours = 1 if values.shape[2] == 2 else 3  # what follows is transparency
        return np.asarray(values[..., :colours].any(axis=2), np.bool_)
    return np.asarray(values != 0, np.bool_)


def _from_boxes(path: Path, tracks: Tracks, count: int, height: int, width: int) -> Iterator[Bool]:
    if len(tracks.frame) and int(tracks.frame.max()) >= count:
        raise GroundTruthError(f"{path}: boxes up to frame {int(tracks.frame.max())}; expected 0 to {count - 1}")
    for frame in range(count):
        inside = np.zeros((height, width), np.bool_)
        for y0, x0, y1, x1 in np.rint(tracks.box[tracks.frame == frame]).astype(int).clip(0).tolist():
            inside[y0:y1, x0:x1] = True
        yield inside
