"""Where objects are on the tokens of a crop."""

from __future__ import annotations

import numpy as np

from mgmtool.types import Bool, Float32


def objects_in_tokens(
    boxes: Float32, top: float, left: float, height: float, width: float, rows: int, cols: int, hflip: bool
) -> Float32:
    """Turn boxes in displayed pixels into boxes in tokens of a crop.

    Parameters
    ----------
    boxes : float32 (frames, objects, 4)
        ``y0 x0 y1 x1`` in displayed pixels; NaN where an object is not in a frame.
    top, left, height, width : float
        Crop in displayed pixels.
    rows, cols : int
        Token grid of the crop.
    hflip : bool
        Mirror the crop left to right, last.

    Returns
    -------
    float32 (frames, objects, 4)
        ``y0 x0 y1 x1`` in tokens; may reach outside the grid; NaN stays NaN.
    """
    tokens = boxes - np.array([top, left, top, left], np.float32)
    tokens *= np.array([rows, cols, rows, cols], np.float32)  # before the division: whole tokens come out exactly
    tokens /= np.array([height, width, height, width], np.float32)
    if hflip:
        tokens[..., 1], tokens[..., 3] = cols - tokens[..., 3], cols - tokens[..., 1]
    return tokens


def visible(objects: Float32, rows: int, cols: int) -> Bool:
    """Say which objects overlap the token grid in at least one frame.

    Parameters
    ----------
    objects : float32 (frames, objects, 4)
        ``y0 x0 y1 x1`` in tokens, NaN where absent.
    rows, cols : int
        The grid.

    Returns
    -------
    bool (objects,)
    """
    y0, x0, y1, x1 = np.moveaxis(objects, -1, 0)
    inside: Bool = ((y0 < rows) & (x0 < cols) & (y1 > 0) & (x1 > 0)).any(axis=0)
    return inside
