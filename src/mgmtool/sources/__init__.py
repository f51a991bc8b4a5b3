"""Where motion comes from: each file is a source, see :mod:`mgmtool.plugins`.

A source yields :class:`~mgmtool.types.FrameMotion` in displayed orientation and ends every assumption about where it came from;
:mod:`mgmtool.sources.base` has what it offers.
"""

from __future__ import annotations

import numpy as np

from mgmtool import plugins
from mgmtool.kernels.field import VECTOR, mean_flow, motion_field, scaled_motion_field
from mgmtool.kernels.luma import mean_picture
from mgmtool.kernels.shrink import shrink
from mgmtool.sources.base import VIDEO_EXTENSIONS, MotionStream, Source

__all__ = ["SOURCES", "VIDEO_EXTENSIONS", "MotionStream", "Source", "build", "names", "summary", "warm_up"]


SOURCES: plugins.Family[Source] = plugins.SOURCES

names = SOURCES.names
build = SOURCES.build
summary = SOURCES.summary


def warm_up() -> None:
    """Compile the kernels that sources share, or load them from the cache."""
    vectors = np.frombuffer(bytes(VECTOR.itemsize), VECTOR)
    field = np.zeros((1, 1, 2), np.float32), np.zeros((1, 1), np.float32)
    motion_field(vectors, 16, 16, 0, 0, 4, *field)
    scaled_motion_field(vectors, 8, 8, 16, 16, 0, 0, 4, *field)
    mean_flow(np.zeros((16, 16, 2), np.float32), 0, 0, 4, *field)
    for dtype in (np.uint8, np.uint16):
        plane = np.zeros((16, 16), dtype)
        places = np.array([[16, 0, 0, 3, 3, 2], [16, 0, 0, 3, 3, 2]])
        mean_picture(plane, plane, plane, places, 1.0, np.zeros((2, 2), np.float32), np.zeros((2, 2, 2), np.float32))
        shrink(plane, 16, 1.0, np.zeros((8, 8), np.uint8))
