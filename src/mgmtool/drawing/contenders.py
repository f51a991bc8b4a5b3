"""What is compared: schemes with their options, and their masks of one video."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mgmtool import masking, plugins
from mgmtool.errors import UsageError
from mgmtool.extraction.stream import whole_video
from mgmtool.masking import derive_seed
from mgmtool.training.clips import place_clip
from mgmtool.types import Bool, ClipRequest, ExtractSpec, MaskVolume, VideoMotion, VideoRef

ALL = "all"
CLIP_FRAMES, CLIP_TUBELET = 16, 2


@dataclass(frozen=True, slots=True)
class Contender:
    """One scheme of a comparison.

    Attributes
    ----------
    label : str
        How pictures name it.
    spec : ExtractSpec
        What its masks are made with.
    """

    label: str
    spec: ExtractSpec

    @property
    def volumes(self) -> bool:
        """Whether the scheme has mask volumes; if not, it is for clips only."""
        return masking.build(self.spec.scheme, self.spec.scheme_options).volumes


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
    named = dict.fromkeys(piece.strip() for text in texts for piece in _split(text))
    labels = dict.fromkeys(label for piece in named for label in (_all() if piece == ALL else [piece]))
    return [_contender(label, spec) for label in labels]


def masks_of(video: VideoRef, compared: Sequence[Contender]) -> list[MaskVolume | None]:
    """Compute the mask volume of each, decoding the video once for each; None for schemes that are for clips only.

    Memory grows by a quarter to half a kilobyte a frame and scheme.
    """
    return [whole_video(video, contender.spec)[0] if contender.volumes else None for contender in compared]


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
    spec = contender.spec
    scheme = masking.build(spec.scheme, spec.scheme_options)
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


def _all() -> list[str]:
    return [name for name in masking.names() if not masking.build(name).needs_tracks]


def _split(text: str) -> list[str]:
    """Split ``a:x=1,y=2,b`` into ``a:x=1,y=2`` and ``b``: what starts with an option belongs to the scheme before it."""
    found: list[str] = []
    for piece in text.split(","):
        if found and "=" in piece.partition(":")[0]:
            found[-1] += f",{piece}"
        else:
            found.append(piece)
    return found


def _contender(label: str, spec: ExtractSpec) -> Contender:
    name, _, listed = label.partition(":")
    given = dict(_key_value(pair, label) for pair in listed.split(",") if pair)
    built = plugins.options(masking.build(name, given))
    chosen = {key: built[key] for key in given}
    return Contender(label, replace(spec, scheme=name, scheme_options=chosen))


def _key_value(pair: str, label: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not (key.strip() and equals):
        raise UsageError(
            f"scheme {label!r} has {pair!r}; expected NAME:KEY=VALUE,KEY=VALUE, for example tube,cube:min_tokens=4"
        )
    return key.strip().replace("-", "_"), value.strip()
