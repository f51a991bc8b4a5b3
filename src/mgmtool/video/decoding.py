"""From packets to numbered frames: the one loop that decides which frame is the i-th."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import av.error
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from mgmtool.errors import DecodeFailure
from mgmtool.types import DecodeOptions, Orientation
from mgmtool.video.container import check_size, decoder_limits, failure

_B = int(PictureType.B)
_INTER = frozenset(map(int, (PictureType.P, PictureType.B, PictureType.S)))


@dataclass(slots=True)
class Tally:
    """What was counted while reading; complete once the frames are exhausted."""

    frames: int = 0
    corrupt_frames: int = 0
    lost_packets: int = 0
    discarded_packets: int = 0
    b_frames: int = 0
    inter_frames: int = 0
    size_changes: int = 0
    steps: set[int] = field(default_factory=set)
    last_error: str = ""
    _size: tuple[int, int] = (0, 0)

    def count(self, frame: VideoFrame, step: int) -> None:
        """Take one more frame into account; ``step`` is the distance to the pts before."""
        self.frames += 1
        self.corrupt_frames += frame.is_corrupt
        size = (frame.height, frame.width)
        self.size_changes += self.frames > 1 and size != self._size
        self._size = size
        kind = frame.pict_type
        self.b_frames += kind == _B
        self.inter_frames += kind in _INTER
        if self.frames > 1 and len(self.steps) < 3:
            self.steps.add(step)


def numbered_frames(
    container: InputContainer,
    stream: VideoStream,
    tally: Tally,
    options: Mapping[str, str],
    reading: DecodeOptions | None = None,
) -> Iterator[tuple[int, VideoFrame]]:
    """Decode every frame in presentation order.

    One decoder thread, thread type NONE, for every reader: what threads do to the frames of a damaged stream depends on
    their timing, and the i-th frame must be the same one whatever is read from it.

    Parameters
    ----------
    container, stream
        As :func:`mgmtool.video.container.open_video` gives them.
    tally : Tally
        Counts so far; a packet that cannot be decoded is counted and skipped.
    options : mapping
        Decoder options that change neither number nor order of the frames.
    reading : DecodeOptions, optional
        Limits, and whether damage is a failure.

    Yields
    ------
    pts : int
        In units of the time base; the one before plus 1 for a frame without. For AVI, when the decoder gave the frame.
    frame : VideoFrame
        The decoder's.

    Raises
    ------
    VideoError
        With the failure class open (a picture is too large), io, decode or memory.
    """
    reading = reading or DecodeOptions()
    pts = -1
    # AVI has no presentation times, and what FFmpeg puts in their place goes back and forth with B-frames.
    avi = "avi" in container.format.name
    context, shrunk = stream.codec_context, "lowres" in options
    for frame in _decode(container, stream, tally, {**options, **decoder_limits(reading)}):
        check_size(
            context.coded_width if shrunk else frame.width, context.coded_height if shrunk else frame.height, reading
        )
        time = frame.dts if avi else frame.pts
        before, pts = pts, pts + 1 if time is None else time
        tally.count(frame, pts - before)
        if tally.frames > reading.max_frames:
            raise DecodeFailure(f"more than {reading.max_frames} frames; expected at most so many (--max-frames)")
        yield pts, frame
    if reading.strict:
        _check_whole(tally)


def _check_whole(tally: Tally) -> None:
    """Refuse a video of which something is damaged or lost."""
    if tally.corrupt_frames or tally.lost_packets:
        words = f"; FFmpeg says: {tally.last_error}" if tally.last_error else ""
        raise DecodeFailure(
            f"{tally.corrupt_frames} corrupt of {tally.frames} frames and {tally.lost_packets} lost packets; "
            f"expected none (--strict){words}"
        )


def _decode(
    container: InputContainer, stream: VideoStream, tally: Tally, options: Mapping[str, str]
) -> Iterator[VideoFrame]:
    """Decode packet by packet, so that one bad packet does not end the video."""
    context = stream.codec_context
    context.thread_type = "NONE"
    context.thread_count = 1
    context.options = dict(options)
    try:
        for packet in _packets(container, stream):
            tally.discarded_packets += bool(packet.is_discard)
            try:
                yield from packet.decode()
            except av.error.EOFError:
                return
            except (av.error.InvalidDataError, av.error.PatchWelcomeError) as error:
                tally.lost_packets += 1
                tally.last_error = str(error.strerror)
    except av.error.InvalidDataError as error:
        tally.lost_packets += 1
        tally.last_error = str(error.strerror)
    except (av.error.FFmpegError, OSError, MemoryError) as error:
        raise failure(error) from None


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    try:
        yield from container.demux(stream)
    except IndexError:
        # PyAV does not know streams that appear while it reads, as they do in transport streams, and stumbles over them when it
        # empties the decoders at the end; ours, which was there from the start, comes first.
        return


def side_data(frame: VideoFrame, kind: str) -> Any:
    """Return one kind of side data of a frame, or None; a buffer that pins the picture."""
    # frame.side_data is a reference cycle (frame <-> container) that keeps pictures alive; a container of our own is none.
    make: Any = SideDataContainer
    return make(frame).get(kind)


def orientation_of(frame: VideoFrame) -> Orientation:
    """Read how coded pixels become displayed ones from the display matrix that rides on a frame."""
    matrix = side_data(frame, "DISPLAYMATRIX")
    return Orientation() if matrix is None else Orientation.from_display_matrix(np.frombuffer(matrix, dtype="<i4"))
