"""What a motion source gives of a clip, read to its end; and grey clips of any pixel format."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from mgmtool import sources
from mgmtool.extraction.stream import whole_video
from mgmtool.types import ExtractSpec, FrameMotion, VideoFacts, VideoInfo
from support.moving import panning, ref, square_path, with_square

Array = NDArray[Any]
Clip = tuple[VideoInfo, list[FrameMotion], VideoFacts]


def read(
    path: Path, source: str, *, motion: bool = True, luma: bool = True, chroma: bool = False, **options: Any
) -> Clip:
    """Read all of a clip."""
    with sources.build(source, options).open(ref(path), motion=motion, luma=luma, chroma=chroma) as stream:
        frames = list(stream.frames)
        return stream.info, frames, stream.facts()


def usual(frame: FrameMotion) -> Array:
    """Median displacement of the covered cells."""
    assert frame.displacement is not None
    assert frame.coverage is not None
    middle: Array = np.median(frame.displacement[frame.coverage > 0], axis=0)
    return middle


def has_no_motion(frame: FrameMotion) -> bool:
    assert frame.displacement is not None
    assert frame.coverage is not None
    return not (frame.has_vectors or frame.displacement.any() or frame.coverage.any())


def encode_as(path: Path, pictures: Sequence[Array], pixel_format: str, codec: str = "ffv1") -> Path:
    """Write grey pictures of any size in any pixel format."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.pix_fmt = pixel_format
        stream.height, stream.width = pictures[0].shape
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format=pixel_format)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def assert_all_but_motion_is_equal(clip: Clip, codec: Clip, source: str) -> None:
    """Compare 8 frames with what the codec source gives of them."""
    (info, frames, facts), (other_info, others, other_facts) = clip, codec
    assert info == other_info
    for frame, other in zip(frames, others, strict=True):
        for name in ("index", "pts", "key_frame", "corrupt", "cell", "height", "width"):
            assert getattr(frame, name) == getattr(other, name)
        np.testing.assert_array_equal(frame.luma, other.luma)
        np.testing.assert_array_equal(frame.chroma, other.chroma)
    assert (facts.source, facts.num_frames, facts.vector_frames) == (source, 8, 7)
    assert facts.index_risk == other_facts.index_risk
    assert facts.corrupt_frames == facts.lost_packets == 0


def assert_box_follows_a_square(path: Path, source: str) -> None:
    """Extract a clip of a square that moves over a pan, and look where the boxes lie."""
    pictures = with_square(panning(6, 128, 192, (0, -2)), square_path(6, (64, 64), (0, 4)), 48)
    volume, facts = whole_video(ref(encode_as(path, pictures, "yuv420p")), ExtractSpec(source=source, ratio=0.25))
    assert facts.source == source
    for box, (top, left) in zip(volume.box, square_path(6, (64, 64), (0, 4)), strict=True):
        y0, x0, y1, x1 = box.tolist()
        assert y0 < top + 24 < y1
        assert x0 < left + 24 < x1
