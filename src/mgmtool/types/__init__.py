"""The nouns of mgmtool: frozen records, numpy only.

Axes are always (frame, row, column) or (y, x); boxes are half-open; a mask is True where the content is hidden.
"""

from __future__ import annotations

from mgmtool.types.arrays import Bool, Float32, Float64, Int16, Int32, Int64, UInt8
from mgmtool.types.clips import ClipRequest, Crop, TokenMask, VideoMotion
from mgmtool.types.decode import DecodeOptions
from mgmtool.types.masks import Box, FrameEnergy, MaskVolume, PatchGrid, Placement, PlacementRequest, TokenLayout
from mgmtool.types.records import Clip, VideoRecord
from mgmtool.types.runs import FINGERPRINTS, ExtractSpec, KnownVideo, Outcome, Resume, Shard
from mgmtool.types.tracks import Tracks
from mgmtool.types.video import FrameFlag, FrameMotion, Orientation, VideoFacts, VideoInfo, VideoRef

__all__ = [
    "FINGERPRINTS",
    "Bool",
    "Box",
    "Clip",
    "ClipRequest",
    "Crop",
    "DecodeOptions",
    "ExtractSpec",
    "Float32",
    "Float64",
    "FrameEnergy",
    "FrameFlag",
    "FrameMotion",
    "Int16",
    "Int32",
    "Int64",
    "KnownVideo",
    "MaskVolume",
    "Orientation",
    "Outcome",
    "PatchGrid",
    "Placement",
    "PlacementRequest",
    "Resume",
    "Shard",
    "TokenLayout",
    "TokenMask",
    "Tracks",
    "UInt8",
    "VideoFacts",
    "VideoInfo",
    "VideoMotion",
    "VideoRecord",
    "VideoRef",
]
