"""Frames decoded at 1/8 resolution, and the damage that the decoders keep quiet about there.

At full size, the decoders of the MPEG family mark a frame as corrupt when they conceal blocks that were damaged or never came. At
a smaller size they conceal nothing and mark nothing. Two signs are left: an error, which ``err_detect=explode`` makes of every
damaged slice, and blocks that nobody wrote. The latter show because every buffer is blanked before it is used again. Whoever sees
either sign decodes the file at full size instead.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

SHRINK = 3
"""log2 of the side of the square of coded pixels that becomes one pixel."""
SMALL_OPTIONS = {"lowres": str(SHRINK), "err_detect": "explode"}
"""Decoder options that make small frames, and errors of damaged slices."""
SHRINKING = frozenset({"mpeg1video", "mpeg2video", "mpeg4", "h263", "h263p", "flv1"})
"""Decoders that can leave out all but the mean of each block of 8 x 8 pixels; vectors stay as they are.

Others of the family make wrong frames then, wmv2 for one.
"""
_FRAMES_HELD = 12
"""Frames kept until their buffers are blanked: by then the decoder needs none of them for reference."""


class UnwrittenBlocks:
    """Tells frames with blocks that the decoder never wrote from others; for the small frames of one pass over one video."""

    def __init__(self) -> None:
        self._held: deque[VideoFrame] = deque()

    def there_are_in(self, frame: VideoFrame) -> bool:
        """Whether a frame has a block that nobody wrote; the frame's buffer is blanked some frames later.

        Fresh buffers are blank. No decoder writes 0 to both planes of chroma at one place: there is no such colour.
        """
        _, cb, cr = frame.planes
        blue = _samples(cb)[: cb.height, : cb.width]
        if not blue.all() and not (blue | _samples(cr)[: cr.height, : cr.width]).all():
            return True
        self._held.append(frame)
        if len(self._held) > _FRAMES_HELD:
            self._blank(self._held.popleft())
        return False

    @staticmethod
    def _blank(frame: VideoFrame) -> None:
        before = frame.planes[1].buffer_ptr
        frame.make_writable()  # copies if anybody else, such as the decoder, still has it
        _, cb, cr = frame.planes
        if cb.buffer_ptr == before:
            _samples(cb)[:] = 0
            _samples(cr)[:] = 0


def _samples(plane: Any) -> NDArray[np.uint8]:
    samples: NDArray[np.uint8] = np.frombuffer(plane, np.uint8)
    return samples.reshape(-1, plane.line_size)
