"""Frames decoded at 1/8 resolution, and the damage that the decoders keep quiet about there.

At full size, the decoders of the MPEG family mark a frame as corrupt when they conceal blocks that were damaged or never came. At
a smaller size they conceal nothing and mark nothing. Two signs are left: an error, which ``err_detect=explode`` makes of every
damaged slice, and blocks that nobody wrote. The latter show because every buffer is blanked before it is used again. Whoever sees
either sign decodes the file at full size instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
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
    """Finds frames with blocks that the decoder never wrote; for the small frames of one pass over one video."""

    def __init__(self) -> None:
        self._held: deque[tuple[VideoFrame, Any, int, NDArray[np.uint8]]] = deque()

    def in_frame(self, frame: VideoFrame, planes: Sequence[Any]) -> bool:
        """Whether a frame has a block that nobody wrote. Its buffer is blanked some frames later; fresh ones are blank.

        Cb is 0 in a blank buffer, and next to never elsewhere: a video with areas of the purest yellow of the full range is
        decoded at full size for nothing.

        Parameters
        ----------
        frame : VideoFrame
            As the decoder gave it; kept for a while.
        planes : sequence of VideoPlane
            Those of the frame: to make them costs more than all the rest.
        """
        plane = planes[1]
        blue = np.ndarray((plane.height, plane.width), np.uint8, plane, 0, (plane.line_size, 1))
        if b"\0" in blue.tobytes():
            return True
        self._held.append((frame, plane, plane.buffer_ptr, blue))
        if len(self._held) > _FRAMES_HELD:
            old, plane, before, blue = self._held.popleft()
            old.make_writable()  # moves to a copy if anybody else, such as the decoder, still has the buffer
            if plane.buffer_ptr == before:
                blue[...] = 0
        return False
