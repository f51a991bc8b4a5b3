"""The nouns of mgmtool: frozen records, numpy only.

Axes are always (frame, row, column) or (y, x); boxes are half-open; a mask is True where the content is hidden.
"""

from __future__ import annotations

from mgmtool.types.arrays import Bool, Float32, Float64, Int16, Int64, UInt8
from mgmtool.types.masks import Box, FrameEnergy, MaskVolume, PatchGrid, Placement, PlacementRequest, TokenLayout
from mgmtool.types.runs import ExtractSpec, Outcome
from mgmtool.types.video import FrameFlag, FrameMotion, Orientation, VideoFacts, VideoInfo, VideoRef

__all__ = [
    "Bool",
    "Box",
    "ExtractSpec",
    "Float32",
    "Float64",
    "FrameEnergy",
    "FrameFlag",
    "FrameMotion",
    "Int16",
    "Int64",
    "MaskVolume",
    "Orientation",
    "Outcome",
    "PatchGrid",
    "Placement",
    "PlacementRequest",
    "TokenLayout",
    "UInt8",
    "VideoFacts",
    "VideoInfo",
    "VideoRef",
]
