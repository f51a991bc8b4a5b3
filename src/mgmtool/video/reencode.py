"""Motion vectors of pictures whose own codec gives none: encoded as H.264 in memory, and decoded again."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av.codec
import av.error
import numpy as np
from av.codec.context import CodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from mgmtool.errors import DecodeFailure
from mgmtool.types import UInt8
from mgmtool.video.container import failure
from mgmtool.video.decoding import side_data
from mgmtool.video.reader import DECODER_OPTIONS

_RATE = 25  # of no consequence: at constant quality nothing depends on time
# No I-frame but the first, and one reference, the picture before. One thread: x264 writes the same bytes then.
_X264 = "keyint=infinite:scenecut=0:bframes=0:ref=1:weightp=0:threads=1:qp=26:subme=1"
_ENCODER_OPTIONS = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": _X264}


def has_encoder() -> bool:
    """Whether PyAV came with the encoder, x264."""
    return "libx264" in av.codec.codecs_available


class Reencoder:
    """Finds where blocks of a picture lie in the one before, for a sequence of pictures of one size.

    Parameters
    ----------
    height, width : int
        Size of the pictures in pixels, even.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self._encoder, self._decoder = _encoder(height, width), _decoder()
        self._number = 0

    def vectors(self, picture: UInt8, dtype: np.dtype[np.void]) -> NDArray[np.void] | None:
        """Encode the next picture, decode it at once, and return its motion vectors.

        Parameters
        ----------
        picture : uint8 (height, width)
            Luma, C-contiguous.
        dtype : numpy.dtype
            Layout of an exported vector.

        Returns
        -------
        array of ``dtype`` (n,) or None
            Each points to the picture before. None for the first picture, and where no block found its like.

        Raises
        ------
        VideoError
            The encoder or the decoder failed.
        """
        try:
            coded = VideoFrame.from_ndarray(picture, format="gray")
            coded.pts, coded.time_base = self._number, Fraction(1, _RATE)
            self._number += 1
            decoded = [frame for packet in self._encoder.encode(coded) for frame in self._decoder.decode(packet)]
        except (av.error.FFmpegError, MemoryError, ValueError) as error:
            raise failure(error) from None
        if len(decoded) != 1:
            raise DecodeFailure(f"re-encoding gave {len(decoded)} pictures for one; expected 1")
        exported = side_data(decoded[0], "MOTION_VECTORS")
        return None if exported is None else np.frombuffer(exported, dtype=dtype)


def _encoder(height: int, width: int) -> Any:
    context: Any = CodecContext.create("libx264", "w")
    context.height, context.width, context.pix_fmt = height, width, "gray"
    context.time_base, context.framerate = Fraction(1, _RATE), Fraction(_RATE)
    context.thread_type, context.thread_count = "NONE", 1
    context.options = dict(_ENCODER_OPTIONS)
    return context


def _decoder() -> Any:
    context: Any = CodecContext.create("h264", "r")
    context.thread_type, context.thread_count = "NONE", 1
    context.options = dict(DECODER_OPTIONS)
    return context
