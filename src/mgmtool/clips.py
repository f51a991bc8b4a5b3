"""Training side: a clip's frames and crop to its token mask, with exact counts.

A mask made for the whole frame does not survive a crop. The energy of the frame does: here it is sampled on the tokens of the
crop, and the scheme places its box there, by the code that places it in a mask volume.
"""

from __future__ import annotations

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.kernels.tokens import sample_tokens
from mgmtool.masking import Scheme, objects_in_tokens, visible
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
        A frame index outside the video, a crop outside the picture, a number of frames that tubelets do not divide, or a
        scheme that looks at motion on a video without energy.
    """
    _check(video, request)
    if scheme.needs_motion and video.energy is None:
        raise UsageError(
            f"{type(scheme).__name__} looks at motion, but the video has no energy; expected that of its masks"
        )
    frames = np.array(request.frames, np.int64).reshape(-1, request.tubelet)
    crop = request.crop or Crop(0, 0, video.height, video.width)
    placed = scheme.place(
        PlacementRequest(
            energy=_energy(video, frames, crop, request),
            cut=_cuts(video.scene, frames),
            layout=request.layout,
            seed=request.seed,
            stride=_stride(frames),
            objects=_objects(video, frames, crop, request),
        )
    )
    return TokenMask(placed.mask, _boxes(placed, request.layout), placed.fallback)


def _check(video: VideoMotion, request: ClipRequest) -> None:
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


def _energy(video: VideoMotion, frames: Int64, crop: Crop, request: ClipRequest) -> Float32:
    """Mean energy of the frames of each tubelet on the tokens of the crop; zero where the video has none."""
    rows, cols = request.layout.rows, request.layout.cols
    tokens = np.zeros((frames.size, rows, cols), np.float32)
    if video.energy is not None and video.energy_scale is not None:
        chosen = frames.ravel()
        top, left = crop.top / video.height, crop.left / video.width
        bottom, right = (crop.top + crop.height) / video.height, (crop.left + crop.width) / video.width
        levels, scale = video.energy[chosen], video.energy_scale[chosen]
        sample_tokens(levels, scale, top, left, bottom, right, request.hflip, tokens)
    means: Float32 = tokens.reshape(*frames.shape, rows, cols).mean(axis=1, dtype=np.float32)
    return means


def _cuts(scene: Int64, frames: Int64) -> Bool:
    """Tubelets that start in another scene than the one before; also where a cut lies between their frames."""
    first = scene[frames[:, 0]]
    cuts: Bool = np.concatenate([[False], first[1:] != first[:-1]])
    return cuts


def _stride(frames: Int64) -> float:
    """Source frames from one tubelet to the next; that of one tubelet is its own length."""
    steps = np.abs(np.diff(frames[:, 0]))
    return float(max(steps.mean(), 1.0)) if len(steps) else float(frames.shape[1])


def _objects(video: VideoMotion, frames: Int64, crop: Crop, request: ClipRequest) -> Float32 | None:
    """Known objects on the tokens of the crop, those that are never inside it left out."""
    if video.tracks is None:
        return None
    rows, cols = request.layout.rows, request.layout.cols
    # A tubelet stands where its first frame does: the mean of a box that comes or goes would be half a box.
    boxes = video.tracks.at(frames[:, 0].tolist())
    tokens = objects_in_tokens(boxes, crop.top, crop.left, crop.height, crop.width, rows, cols, request.hflip)
    return tokens[:, visible(tokens, rows, cols)]


def _boxes(placed: Placement, layout: TokenLayout) -> Int16:
    """Boxes in tokens; all zero where the scheme hides none."""
    boxes = np.concatenate([placed.corner, placed.corner + np.array([layout.box_rows, layout.box_cols])], axis=1)
    return np.where(placed.corner[:, :1] >= 0, boxes, 0).astype(np.int16)
