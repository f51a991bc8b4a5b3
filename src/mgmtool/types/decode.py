"""How a file is read: which of its streams, and how much of what it claims is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """Choices and limits for the reading of one video file. Files are not trusted: each limit is there before any memory is.

    Attributes
    ----------
    stream : int or None
        Number of the video stream among all streams of the file, as FFmpeg counts them, from 0. None takes the first video
        stream that is no cover picture, thumbnail or still.
    strict : bool
        Whether a video with damaged frames or lost packets fails, rather than being done with what there is.
    max_pixels : int
        Most pixels of a coded picture. The default, 2**27, is four pictures of 7680 x 4320.
    max_streams : int
        Most streams of a file.
    max_frames : int
        Most frames of a video. The default, 10 million, is 46 hours at 60 frames a second.

    Raises
    ------
    ValueError
        A number is out of its range.
    """

    stream: int | None = None
    strict: bool = False
    max_pixels: int = 2**27
    max_streams: int = 64
    max_frames: int = 10_000_000

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.stream is not None and self.stream < 0:
            raise ValueError(f"stream is {self.stream}; expected 0 or more")
        for name in ("max_pixels", "max_streams", "max_frames"):
            value = getattr(self, name)
            if not 1 <= value < 2**31:  # what FFmpeg takes
                raise ValueError(f"{name} is {value}; expected 1 to {2**31 - 1}")

    def to_json(self) -> dict[str, Any]:
        """Return plain values for the attributes of a store."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        return cls(**values)
