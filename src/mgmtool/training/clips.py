"""Training side: a clip's frames and crop to its token mask, with exact counts.

A mask made for the whole frame does not survive a crop. The energy of the frame does: here it is sampled on the tokens of the
crop, and the scheme places its box there, by the code that places it in a mask volume.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.kernels.tokens import sample_clips
from mgmtool.masking import Scheme, derive_seed, draws, objects_in_tokens, pick, visible
from mgmtool.types import (
    Bool,
    ClipRequest,
    Crop,
    Float32,
    Int16,
    Int64,
    Placement,
    PlacementRequest,
    TokenLayout,
    TokenMask,
    VideoMotion,
)


def place_clip(video: VideoMotion, request: ClipRequest, scheme: Scheme) -> TokenMask:
    """Decide what a scheme hides in one clip.

    Parameters
    ----------
    video : VideoMotion
        Energy, scenes and objects of the whole video.
    request : ClipRequest
        Frames, crop, token grid, seed.
    scheme : Scheme
        The mask scheme. Its energy must be the one of ``video``.

    Returns
    -------
    TokenMask
        One mask a tubelet, in coordinates of the crop.

    Raises
    ------
    UsageError
        A frame index outside the video, a crop outside the picture, a number of frames that tubelets do not divide, a share
        to keep visible that is none, or a scheme that looks at motion on a video without energy.
    """
    return place_clips([(video, request)], scheme)[0]


def place_clips(clips: Sequence[tuple[VideoMotion, ClipRequest]], scheme: Scheme) -> list[TokenMask]:
    """Decide what a scheme hides in many clips; the masks are those of :func:`place_clip`, clip by clip.

    Clips of as many frames on one token grid go through the kernels together.
    """
    for video, request in clips:
        check_clip(video, request)
        if scheme.needs_motion and video.energy is None:
            raise UsageError(
                f"{type(scheme).__name__} looks at motion, but the video has no energy; expected that of its masks"
            )
    if len({_shape(video, request) for video, request in clips}) > 1:
        return [found for clip in clips for found in place_clips([clip], scheme)]
    if not clips:
        return []
    energies = _energies(clips)
    asked = [_asked(video, request, energy) for (video, request), energy in zip(clips, energies, strict=True)]
    placed = scheme.place_many(asked)
    return [_token_mask(found, request) for found, (_, request) in zip(placed, clips, strict=True)]


def _shape(video: VideoMotion, request: ClipRequest) -> tuple[object, ...]:
    """Return what clips must have in common to go through the kernels together."""
    grid = None if video.energy is None else video.energy.shape[1:]
    return grid, len(request.frames), request.tubelet, request.layout, request.invert


def _asked(video: VideoMotion, request: ClipRequest, energy: Float32) -> PlacementRequest:
    frames = np.array(request.frames, np.int64).reshape(-1, request.tubelet)
    return PlacementRequest(
        energy=energy,
        cut=_cuts(video.scene, frames),
        layout=_placed_layout(request),
        seed=request.seed,
        stride=_stride(frames),
        objects=_objects(video, frames, request),
        clip=True,
    )


def _placed_layout(request: ClipRequest) -> TokenLayout:
    """Layout of what the scheme is asked for: of an inverted clip, that of the tokens that stay visible."""
    return request.layout.complement() if request.invert else request.layout


def _token_mask(placed: Placement, request: ClipRequest) -> TokenMask:
    mask = ~placed.mask if request.invert else placed.mask
    if request.keep_visible:
        mask = _swapped(mask, request)
    return TokenMask(mask, _boxes(placed, _placed_layout(request)), placed.fallback)


def check_clip(video: VideoMotion, request: ClipRequest) -> None:
    """Check a request against its video; see :func:`place_clip` for what is raised."""
    count, crop = len(request.frames), request.crop
    if request.tubelet < 1 or count == 0 or count % request.tubelet:
        raise UsageError(f"clip has {count} frames; expected 1 or more tubelets of {request.tubelet} frames")
    outside = next((frame for frame in request.frames if not 0 <= frame < len(video)), None)
    if outside is not None:
        raise UsageError(f"frame index is {outside}; expected 0 to {len(video) - 1}")
    if crop is not None and not (
        0 <= crop.top < crop.top + crop.height <= video.height
        and 0 <= crop.left < crop.left + crop.width <= video.width
    ):
        raise UsageError(f"crop is {crop}; expected a rectangle inside the picture, {video.height} x {video.width}")
    if not 0.0 <= request.keep_visible <= 1.0:
        raise UsageError(f"keep_visible is {request.keep_visible}; expected 0 to 1")


def _swapped(mask: Bool, request: ClipRequest) -> Bool:
    """Show a share of the hidden tokens of each tubelet, and hide as many others; all at random."""
    keys = draws(derive_seed(request.seed, "keep_visible"), 0, len(mask), mask[0].size)
    swapped = mask.copy()
    for out, hidden, key in zip(swapped, mask, keys, strict=True):
        count = min(round(request.keep_visible * int(hidden.sum())), int((~hidden).sum()))
        out[pick(hidden, count, key)] = False
        out[pick(~hidden, count, key)] = True
    return swapped


def _crop(video: VideoMotion, request: ClipRequest) -> Crop:
    return request.crop or Crop(0, 0, video.height, video.width)


def _energies(clips: Sequence[tuple[VideoMotion, ClipRequest]]) -> Float32:
    """Mean energy of the frames of each tubelet on the tokens of the crop; zero where the videos have none.

    float32 (clips, tubelets, rows, cols); the clips have their shape in common.
    """
    first = clips[0][1]
    tubelets = len(first.frames) // first.tubelet
    tokens = np.zeros((len(clips), tubelets, first.layout.rows, first.layout.cols), np.float32)
    if clips[0][0].energy is None:
        return tokens
    chosen = [np.array(request.frames, np.int64) for _, request in clips]
    levels = np.stack([v.energy[c] for (v, _), c in zip(clips, chosen, strict=True) if v.energy is not None])
    scale = np.stack([v.energy_scale[c] for (v, _), c in zip(clips, chosen, strict=True) if v.energy_scale is not None])
    crops = np.array([_share_of_frame(video, request) for video, request in clips])
    sample_clips(levels, scale, crops, np.array([request.hflip for _, request in clips]), tokens)
    return tokens


def _share_of_frame(video: VideoMotion, request: ClipRequest) -> tuple[float, float, float, float]:
    """Top, left, bottom and right of the crop as shares of the frame."""
    crop, height, width = _crop(video, request), video.height, video.width
    return crop.top / height, crop.left / width, (crop.top + crop.height) / height, (crop.left + crop.width) / width


def _cuts(scene: Int64, frames: Int64) -> Bool:
    """Tubelets that start in another scene than the one before; also where a cut lies between their frames."""
    first = scene[frames[:, 0]]
    cuts: Bool = np.concatenate([[False], first[1:] != first[:-1]])
    return cuts


def _stride(frames: Int64) -> float:
    """Source frames from one tubelet to the next; that of one tubelet is its own length."""
    steps = np.abs(np.diff(frames[:, 0]))
    return float(max(steps.mean(), 1.0)) if len(steps) else float(frames.shape[1])


def _objects(video: VideoMotion, frames: Int64, request: ClipRequest) -> Float32 | None:
    """Known objects on the tokens of the crop, those that are never inside it left out."""
    if video.tracks is None:
        return None
    rows, cols, crop = request.layout.rows, request.layout.cols, _crop(video, request)
    # A tubelet stands where its first frame does: the mean of a box that comes or goes would be half a box.
    boxes = video.tracks.at(frames[:, 0].tolist())
    tokens = objects_in_tokens(boxes, crop.top, crop.left, crop.height, crop.width, rows, cols, request.hflip)
    return tokens[:, visible(tokens, rows, cols)]


def _boxes(placed: Placement, layout: TokenLayout) -> Int16:
    """Boxes in tokens; all zero where the scheme hides none."""
    boxes = np.concatenate([placed.corner, placed.corner + np.array([layout.box_rows, layout.box_cols])], axis=1)
    return np.where(placed.corner[:, :1] >= 0, boxes, 0).astype(np.int16)
