"""What every mask scheme offers, and what a scheme may build on.

Public: plug-ins of other packages import from here. Random numbers come from :func:`draws` alone, so that masks are the same on
every machine and for ever; :func:`boxless`, :func:`same_in_all` and :func:`place_boxes` turn tokens into a placement.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import UsageError
from mgmtool.kernels.tokens import box_tokens
from mgmtool.masking._draws import below, derive_seed, draws, unit
from mgmtool.masking._subsets import boxless, first_tokens, pick, random_subsets, same_in_all
from mgmtool.types import (
    FrameEnergy,
    FrameFlag,
    FrameMotion,
    PatchGrid,
    Placement,
    PlacementRequest,
    Tracks,
    VideoRef,
)

__all__ = [
    "Colourless",
    "Motionless",
    "Scheme",
    "below",
    "boxless",
    "centre",
    "constant",
    "derive_seed",
    "draws",
    "first_tokens",
    "known_flags",
    "pick",
    "place_boxes",
    "places",
    "random_corner",
    "random_subsets",
    "require_clip",
    "same_in_all",
    "unit",
]


class Scheme(Protocol):
    """A mask scheme: a frozen dataclass whose fields are its options."""

    needs_motion: ClassVar[bool]
    """Whether the scheme looks at motion; if not, videos without motion vectors serve as well."""

    needs_tracks: ClassVar[bool]
    """Whether the scheme looks at objects that a file of detections or tracks lists."""

    exact: ClassVar[str]
    """Where the count is exact. ``"tubelet"``: ``layout.masked`` tokens in every frame. ``"clip"``: in a clip only their sum is
    exact, ``layout.masked`` times the number of tubelets, so that clips of whatever scheme stack."""

    volumes: ClassVar[bool]
    """Whether the scheme can be placed in a mask volume, too, where every frame has the exact count."""

    @property
    def needs_chroma(self) -> bool:
        """Whether the scheme looks at colour, too."""
        ...

    def tracks(self, video: VideoRef) -> Tracks | None:
        """Read where the objects of a video are; None for a scheme that does not look at objects.

        Raises
        ------
        VideoError
            There is no usable file of tracks for this video.
        """
        ...

    def energies(self, frames: Iterable[FrameMotion], grid: PatchGrid) -> Iterator[FrameEnergy]:
        """Turn motion into energy, one per frame and in order, holding only a few frames at a time.

        Parameters
        ----------
        frames : iterable of FrameMotion
            Every frame of a video in presentation order.
        grid : PatchGrid
            Grid of the energy over the displayed frame.
        """
        ...

    def place(self, request: PlacementRequest) -> Placement:
        """Decide what is hidden in a run of frames; see the two records."""
        ...

    def place_many(self, requests: Sequence[PlacementRequest]) -> list[Placement]:
        """Decide what is hidden in many clips of one layout and number of tubelets; the same as :meth:`place`, one by one."""
        ...


class Colourless(ABC):
    """Base of schemes that look at neither colour nor objects, with the exact count in every tubelet."""

    needs_tracks: ClassVar[bool] = False
    exact: ClassVar[str] = "tubelet"
    volumes: ClassVar[bool] = True

    @property
    def needs_chroma(self) -> bool:
        """No."""
        return False

    @abstractmethod
    def place(self, request: PlacementRequest) -> Placement:
        """See :meth:`Scheme.place`."""

    def place_many(self, requests: Sequence[PlacementRequest]) -> list[Placement]:
        """See :meth:`Scheme.place_many`."""
        return [self.place(request) for request in requests]

    def tracks(self, video: VideoRef) -> Tracks | None:  # noqa: ARG002
        """None are read."""
        return None


class Motionless(Colourless):
    """Base of schemes that hide without looking."""

    needs_motion: ClassVar[bool] = False

    def energies(self, frames: Iterable[FrameMotion], grid: PatchGrid) -> Iterator[FrameEnergy]:  # noqa: ARG002
        """Pass on times and flags; there is no energy."""
        return (FrameEnergy(frame.pts, known_flags(frame)) for frame in frames)


def require_clip(request: PlacementRequest, what: str) -> None:
    """Refuse to place what spans the frames of a clip in a mask volume.

    Raises
    ------
    UsageError
        The run is not a clip.
    """
    if not request.clip:
        raise UsageError(f"{what}; it is for clips")


_KNOWN = {
    (key, vectors, corrupt): FrameFlag(
        FrameFlag.KEY_FRAME * key + FrameFlag.HAS_VECTORS * vectors + FrameFlag.CORRUPT * corrupt
    )
    for key in (False, True)
    for vectors in (False, True)
    for corrupt in (False, True)
}


def known_flags(frame: FrameMotion) -> FrameFlag:
    """Return the flags that follow from the frame alone."""
    return _KNOWN[frame.key_frame, frame.has_vectors, frame.corrupt]


def place_boxes(
    request: PlacementRequest, corner: NDArray[np.int16], fallback: NDArray[np.bool_] | None = None
) -> Placement:
    """Hide the tokens of a box in every frame, with the exact count.

    Parameters
    ----------
    request : PlacementRequest
        What was asked.
    corner : int16 (frames, 2)
        Top left token (y, x) of the box.
    fallback : bool (frames,), optional
        Frames where the box is the centre box because there is no motion; none by default.
    """
    layout = request.layout
    mask = np.empty(request.energy.shape, np.bool_)
    box_tokens(request.energy, corner, layout.box_rows, layout.box_cols, layout.masked, mask)
    return Placement(mask, corner, np.zeros(len(corner), np.bool_) if fallback is None else fallback)


def places(request: PlacementRequest) -> tuple[int, int]:
    """How many rows and columns the top left token of the box can stand in."""
    layout = request.layout
    return layout.rows - layout.box_rows + 1, layout.cols - layout.box_cols + 1


def centre(request: PlacementRequest) -> tuple[int, int]:
    """Top left token of the box in the middle of the frame, towards the top left where that is between two tokens."""
    ys, xs = places(request)
    return (ys - 1) // 2, (xs - 1) // 2


def random_corner(request: PlacementRequest) -> tuple[int, int]:
    """Top left token of a box placed uniformly at random; the same however a video is cut into runs."""
    ys, xs = places(request)
    raw = draws(request.seed, 0, 1, 2)[0]
    return int(below(raw[0], ys)), int(below(raw[1], xs))


def constant(request: PlacementRequest, corner: tuple[int, int]) -> NDArray[np.int16]:
    """Return the same corner for every frame."""
    return np.broadcast_to(np.array(corner, np.int16), (len(request.energy), 2)).copy()
