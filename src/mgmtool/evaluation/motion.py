"""How much more an object moves than its background, before and after the camera motion is taken out."""

from __future__ import annotations

import warnings

import numpy as np

from mgmtool.evaluation.scores import motion_ratio
from mgmtool.evaluation.sequences import Sequence
from mgmtool.evaluation.truth import cell_shares
from mgmtool.kernels.camera import fit_camera
from mgmtool.sources import Source
from mgmtool.types import Bool, FrameMotion, VideoFacts, VideoRef

_SIGMA_MIN = 0.15
"""Least noise of the camera fit in pixels, as ``motion-guided`` has it."""


def motion_ratios(sequence: Sequence, source: Source, facts: VideoFacts) -> tuple[float, float]:
    """Median over the frames of object motion divided by background motion.

    Parameters
    ----------
    sequence : Sequence
        Video and truth.
    source : Source
        Where motion comes from.
    facts : VideoFacts
        Frames and size of the video.

    Returns
    -------
    raw, compensated : float
        Without and with the camera motion taken out; NaN where no frame has vectors on object and background.
    """
    objects = sequence.object_frames(facts.num_frames, facts.info.height, facts.info.width)
    with source.open(VideoRef(sequence.video.name, str(sequence.video)), motion=True, luma=False) as stream:
        found = [frame_ratios(frame, inside) for frame, inside in zip(stream.frames, objects, strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the median of nothing is NaN, as promised
        raw, compensated = np.nanmedian(np.array(found), axis=0)
    return float(raw), float(compensated)


def frame_ratios(frame: FrameMotion, inside: Bool) -> tuple[float, float]:
    """Return the ratios of one frame, as :func:`motion_ratios` does; NaN where there is no motion."""
    if not frame.has_vectors or frame.displacement is None or frame.coverage is None:
        return float("nan"), float("nan")
    if inside.shape != (
        frame.height,
        frame.width,
    ):  # the video changes its size: the truth says nothing about this frame
        return float("nan"), float("nan")
    share = cell_shares(inside, frame.cell)
    length = np.sqrt(np.square(frame.displacement).sum(axis=-1))
    residual = np.empty(frame.coverage.shape, np.float32)
    fit_camera(frame.displacement, frame.coverage, _SIGMA_MIN, np.empty((2, 3)), residual)
    return motion_ratio(length, frame.coverage, share), motion_ratio(residual, frame.coverage, share)
