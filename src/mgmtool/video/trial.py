"""A trial of every codec: which of them give motion vectors with the FFmpeg that PyAV came with."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av.codec
import av.error
import numpy as np
from av.codec.context import CodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from mgmtool.video.decoding import side_data
from mgmtool.video.reader import DECODER_OPTIONS

WITH_VECTORS = {
    "h264": "libx264",
    "mpeg4": "mpeg4",
    "mpeg2video": "mpeg2video",
    "mpeg1video": "mpeg1video",
    "h263": "h263",
    "flv1": "flv",
    "wmv2": "wmv2",
}
"""Codecs whose decoders export motion vectors, and the encoder with which each is tried."""

WITHOUT_VECTORS = ("hevc", "vp8", "vp9", "av1", "mjpeg", "prores")
"""Codecs in use whose decoders export none."""

_DECODERS = {"av1": ("libdav1d", "libaom-av1", "av1"), "flv1": ("flv",)}
_HEIGHT, _WIDTH, _FRAMES = 144, 176, 4  # a size that H.263 has


def codec_trials() -> Iterator[tuple[str, str]]:
    """Try the codecs, one after the other; all of them take some 0.1 s.

    Yields
    ------
    codec : str
        FFmpeg's name.
    found : str
        ``vectors`` or ``none`` after a video of four frames was encoded and decoded in memory; ``untried`` where there is a
        decoder, but no encoder to make such a video; ``decodes`` for codecs without vectors; ``missing`` without a decoder;
        else the error.
    """
    for codec, encoder in WITH_VECTORS.items():
        yield codec, _tried(codec, encoder)
    for codec in WITHOUT_VECTORS:
        yield codec, "missing" if _decoder(codec) is None else "decodes"


def _tried(codec: str, encoder: str) -> str:
    decoder = _decoder(codec)
    if decoder is None:
        return "missing"
    if encoder not in av.codec.codecs_available:
        return "untried"
    reading: Any = CodecContext.create(decoder, "r")
    reading.thread_type, reading.thread_count = "NONE", 1
    reading.options = dict(DECODER_OPTIONS)
    reading.height, reading.width = _HEIGHT, _WIDTH
    try:
        writing = _encoder(encoder)
        packets = [packet for picture in _pictures() for packet in writing.encode(picture)] + writing.encode(None)
        reading.extradata = writing.extradata
        frames = [frame for packet in [*packets, None] for frame in reading.decode(packet)]
        found = any(side_data(frame, "MOTION_VECTORS") is not None for frame in frames)
        return "vectors" if found else "none"
    except (av.error.FFmpegError, ValueError) as error:
        return str(error)


def _decoder(codec: str) -> str | None:
    """Name a decoder that is there."""
    for name in _DECODERS.get(codec, (codec,)):
        try:
            return str(av.codec.Codec(name, "r").name)
        except av.codec.codec.UnknownCodecError:
            continue
    return None


def _encoder(name: str) -> Any:
    context: Any = CodecContext.create(name, "w")
    context.height, context.width, context.pix_fmt = _HEIGHT, _WIDTH, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.thread_type, context.thread_count = "NONE", 1
    context.gop_size, context.bit_rate = 12, 400_000
    return context


def _pictures() -> Iterator[VideoFrame]:
    """Yield pictures whose content goes 4 pixels to the left each time."""
    texture = np.random.default_rng(0).integers(16, 235, (_HEIGHT // 8, _WIDTH // 8 + 2), np.uint8)
    wide: NDArray[np.uint8] = np.kron(texture, np.ones((8, 8), np.uint8))
    for number in range(_FRAMES):
        picture = np.full((_HEIGHT * 3 // 2, _WIDTH), 128, np.uint8)
        picture[:_HEIGHT] = wide[:, 4 * number : 4 * number + _WIDTH]
        frame = VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        yield frame
