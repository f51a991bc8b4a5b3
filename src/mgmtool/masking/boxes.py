"""A box on one object that a detector or tracker found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.masking._draws import below, draws
from mgmtool.masking.base import Motionless, centre, constant, place_boxes, places
from mgmtool.tracks import read_tracks, sidecar
from mgmtool.types import Float32, Int16, Placement, PlacementRequest, Tracks, VideoRef


@dataclass(frozen=True)
class Boxes(Motionless):
    """A box on one object of a file of detections or tracks (the detector baseline of the MGM paper).

    The object is drawn among all objects asked for, so that every run of a video follows the same one; who cuts a crop leaves
    out beforehand what is never inside it. The box has the size of the mask ratio and is centred on the object. Where the
    object is absent the box stays; before the object first appears, the box is where it will appear (our choice).

    Attributes
    ----------
    tracks_file : str
        MOT text or COCO json, the fields of :func:`mgmtool.tracks.sidecar` filled in.
    """

    tracks_file: str = "{folder}/{stem}.txt"
    needs_tracks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the options."""
        if not self.tracks_file:
            raise UsageError("boxes option tracks_file is ''; expected a path, for example {folder}/{stem}.txt")
        sidecar(self.tracks_file, VideoRef("", ""))  # an unknown field is told before a video is opened

    def tracks(self, video: VideoRef) -> Tracks | None:
        """See :meth:`mgmtool.masking.Scheme.tracks`."""
        return read_tracks(sidecar(self.tracks_file, video), video.id)

    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`mgmtool.masking.Scheme.place`."""
        here = np.full((len(request.energy), 2), np.nan, np.float32)
        if request.objects is not None and request.objects.shape[1]:
            pick = below(draws(request.seed, 0, 1, 1)[0], request.objects.shape[1])[0]
            here = _centred(request, request.objects[:, pick])
        if np.isnan(here).all():
            fallback = np.full(len(here), request.previous is None)
            return place_boxes(request, constant(request, request.previous or centre(request)), fallback)
        return place_boxes(request, _held(here, request.previous))


def _centred(request: PlacementRequest, objects: Float32) -> Float32:
    """Top left token (y, x) of the box centred on an object, towards the top left between two tokens; NaN where absent."""
    size = np.array([request.layout.box_rows, request.layout.box_cols], np.float32)
    middle = (objects[:, :2] + objects[:, 2:] - size) / 2
    last = np.array(places(request), np.float32) - 1
    corner: Float32 = np.clip(np.ceil(middle - np.float32(0.5)), 0, last)
    return corner


def _held(here: Float32, previous: tuple[int, int] | None) -> Int16:
    """Fill absent frames with the place before; at the start with the box before the run, or else the first place."""
    present = ~np.isnan(here[:, 0])
    source = np.maximum.accumulate(np.where(present, np.arange(len(here)), -1))
    start = here[present][0] if previous is None else np.array(previous, np.float32)
    return np.where(source[:, None] >= 0, here[source], start).astype(np.int16)


PLUGIN = Boxes
