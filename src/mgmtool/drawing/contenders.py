"""What is compared: schemes with their options, and their masks of one video."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from mgmtool import masking
from mgmtool.extraction.contender import Contender
from mgmtool.extraction.stream import whole_video
from mgmtool.masking import derive_seed
from mgmtool.training.clips import place_clip
from mgmtool.types import Bool, ClipRequest, ExtractSpec, MaskVolume, VideoMotion, VideoRef

ALL = "all"
CLIP_FRAMES, CLIP_TUBELET = 16, 2


def read_contenders(texts: Iterable[str], spec: ExtractSpec) -> list[Contender]:
    """Read which schemes are to be compared.

    Parameters
    ----------
    texts : iterable of str
        Each a list with commas of ``NAME``, ``NAME:KEY=VALUE,KEY=VALUE``, or ``all``: every scheme but those that need a file
        of tracks. What is named twice is there once.
    spec : ExtractSpec
        Everything but the scheme and its options.

    Raises
    ------
    UsageError
        An unknown scheme or option, or a value that does not fit it.
    """
    labels: dict[str, None] = {}
    for piece in (piece.strip() for text in texts for piece in _split(text)):
        if piece == ALL:
            labels |= dict.fromkeys(name for name in masking.names() if not masking.SCHEMES.load(name).needs_tracks)
        else:
            labels[piece] = None
    return [Contender.parse(label, spec) for label in labels]


def masks_of(video: VideoRef, compared: Sequence[Contender]) -> list[MaskVolume | None]:
    """Compute the mask volume of each, decoding the video once for each; None for schemes that are for clips only.

    Memory grows by a quarter to half a kilobyte a frame and scheme.
    """
    return [whole_video(video, contender.recipe)[0] if contender.volumes else None for contender in compared]


def times_of(video: VideoRef, spec: ExtractSpec) -> MaskVolume:
    """Decode a video for its frames and their times: masks of a scheme that looks at nothing."""
    return whole_video(video, replace(spec, scheme="tube", scheme_options={}))[0]


def clip_masks(
    video: VideoRef, contender: Contender, like: MaskVolume, shown: Sequence[int], frames: int, tubelet: int
) -> MaskVolume:
    """Mask the shown frames by a scheme that is for clips only, a clip after the other; no other frame has anything hidden.

    Parameters
    ----------
    video : VideoRef
        The video; its id decides what is random.
    contender : Contender
        The scheme.
    like : MaskVolume
        Any masks of this video, for times and flags.
    shown : sequence of int
        Frame indices.
    frames, tubelet : int
        Shown frames of a clip, and of a tubelet.
    """
    spec, scheme = contender.spec, contender.recipe.scheme
    motion = VideoMotion(spec.grid.rows, spec.grid.cols, np.zeros(len(like), np.int64))
    mask = np.zeros((len(like), spec.grid.rows, spec.grid.cols), np.bool_)
    for start in range(0, len(shown), frames):
        run = list(shown[start : start + frames])
        request = ClipRequest(
            tuple(run + run[-1:] * (-len(run) % tubelet)),
            spec.layout,
            tubelet=tubelet,
            seed=derive_seed(spec.seed, video.id, start),
        )
        placed: Bool = place_clip(motion, request, scheme).mask
        mask[run] = placed.repeat(tubelet, axis=0)[: len(run)]
    return MaskVolume(mask, np.zeros((len(like), 4), np.int16), like.pts, like.flags)


def _split(text: str) -> list[str]:
    """Split ``a:x=1,y=2,b`` into ``a:x=1,y=2`` and ``b``: what starts with an option belongs to the scheme before it."""
    found: list[str] = []
    for piece in text.split(","):
        if found and "=" in piece.partition(":")[0]:
            found[-1] += f",{piece}"
        else:
            found.append(piece)
    return found
