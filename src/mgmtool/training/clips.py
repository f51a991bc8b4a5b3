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
        A frame index outside the video, a crop outside the frame, a number of frames that is no multiple of the tubelet, a
        ``keep_visible`` that is no share, or a scheme that looks at motion on a video without energy.
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
    shapes = {
        (None if v.energy is None else v.energy.shape[1:], len(r.frames), r.tubelet, r.layout, r.invert)
        for v, r in clips
    }
    if len(shapes) > 1:
        return [found for clip in clips for found in place_clips([clip], scheme)]
    if not clips:
        return []
    energies = _energies(clips)
    requests = [placement_request(video, asked, energy) for (video, asked), energy in zip(clips, energies, strict=True)]
    placed = scheme.place_many(requests)
    return [_token_mask(found, request) for found, (_, request) in zip(placed, clips, strict=True)]


def placement_request(video: VideoMotion, request: ClipRequest, energy: Float32) -> PlacementRequest:
    """Put a clip in the terms of a scheme: one step per tubelet, everything in tokens of the crop.

    Parameters
    ----------
    video : VideoMotion
        Scenes and objects of the whole video.
    request : ClipRequest
        The clip.
    energy : float32 (tubelets, rows, cols)
        Energy of each token.
    """
    frames = np.array(request.frames, np.int64).reshape(-1, request.tubelet)
    scene = video.scene[frames[:, 0]]
    steps = np.abs(np.diff(frames[:, 0]))
    return PlacementRequest(
        energy=energy,
        # A tubelet starts a scene also where the cut lies between its first frame and that of the tubelet before.
        cut=np.concatenate([[False], scene[1:] != scene[:-1]]),
        layout=_placed_layout(request),
        seed=request.seed,
        # Frames of the video per tubelet; a lone tubelet counts its own length.
        stride=float(max(steps.mean(), 1.0)) if len(steps) else float(request.tubelet),
        objects=_objects(video, frames, request),
        clip=True,
    )


def _placed_layout(request: ClipRequest) -> TokenLayout:
    """Layout of what the scheme is asked for: of an inverted clip, that of the tokens that stay visible."""
    return request.layout.complement() if request.invert else request.layout


def _token_mask(placed: Placement, request: ClipRequest) -> TokenMask:
    mask = ~placed.mask if request.invert else placed.mask
    if request.keep_visible:
        mask = swap_tokens(mask, request.keep_visible, request.seed)
    layout = _placed_layout(request)
    # Boxes in tokens; all zero where the scheme hides none.
    boxes = np.concatenate([placed.corner, placed.corner + np.array([layout.box_rows, layout.box_cols])], axis=1)
    boxes = np.where(placed.corner[:, :1] >= 0, boxes, 0).astype(np.int16)
    return TokenMask(mask, boxes, placed.fallback)


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
        raise UsageError(f"crop is {crop}; expected a rectangle inside the frame, {video.height} x {video.width}")
    if not 0.0 <= request.keep_visible <= 1.0:
        raise UsageError(f"keep_visible is {request.keep_visible}; expected 0 to 1")


def swap_tokens(mask: Bool, share: float, seed: int) -> Bool:
    """Show a share of the hidden tokens of each tubelet and hide as many others, all at random.

    Parameters
    ----------
    mask : bool (tubelets, rows, cols)
        True = masked.
    share : float
        Share of the hidden tokens to show, 0..1.
    seed : int
        Decides which.
    """
    keys = draws(derive_seed(seed, "keep_visible"), 0, len(mask), mask[0].size)
    swapped = mask.copy()
    for out, hidden, key in zip(swapped, mask, keys, strict=True):
        count = min(round(share * int(hidden.sum())), int((~hidden).sum()))
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
    # Top, left, bottom and right of each crop as shares of its frame.
    crops = np.empty((len(clips), 4), np.float64)
    for row, (video, request) in zip(crops, clips, strict=True):
        crop, height, width = _crop(video, request), video.height, video.width
        row[:] = (
            crop.top / height,
            crop.left / width,
            (crop.top + crop.height) / height,
            (crop.left + crop.width) / width,
        )
    sample_clips(levels, scale, crops, np.array([request.hflip for _, request in clips]), tokens)
    return tokens


def _objects(video: VideoMotion, frames: Int64, request: ClipRequest) -> Float32 | None:
    """Known objects on the tokens of the crop, those that are never inside it left out."""
    if video.tracks is None:
        return None
    rows, cols, crop = request.layout.rows, request.layout.cols, _crop(video, request)
    # A tubelet stands where its first frame does: the mean of a box that comes or goes would be half a box.
    boxes = video.tracks.at(frames[:, 0].tolist())
    tokens = objects_in_tokens(boxes, crop.top, crop.left, crop.height, crop.width, rows, cols, request.hflip)
    return tokens[:, visible(tokens, rows, cols)]
