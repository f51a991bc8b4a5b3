"""From packets to numbered frames: the one loop that decides which frame is the i-th."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import av.error
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mgmtool.errors import DecodeFailure, NoFramesFailure
from mgmtool.types import DecodeOptions
from mgmtool.video.container import check_size, decoder_limits, failure, path_of
from mgmtool.video.counts import FrameCounts
from mgmtool.video.ending import missing_bytes

# The decoder of H.263 answers -1 to a damaged header, which reads as "Operation not permitted".
_UNDECODABLE = av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.PermissionError


def numbered_frames(
    container: InputContainer,
    stream: VideoStream,
    counts: FrameCounts,
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
    counts : FrameCounts
        Counts so far; a packet that cannot be decoded is counted and skipped.
    options : mapping
        Decoder options that change neither number nor order of the frames.
    reading : DecodeOptions, optional
        Limits, and whether damage is a failure.

    Yields
    ------
    pts : int
        In units of the time base; the one before plus 1 for a frame without. Where the container has no presentation times,
        the time at which the decoder gave the frame.
    frame : VideoFrame
        The decoder's.

    Raises
    ------
    VideoError
        With the failure class open (a frame is too large), io, decode or memory.
    """
    reading = reading or DecodeOptions()
    pts = -1
    context, shrunk, name = stream.codec_context, "lowres" in options, container.format.name
    # FFmpeg makes up the presentation times of these: AVI has none, and those of ASF are in the order of the packets.
    untimed = name == "avi" or (name == "asf" and context.has_b_frames)
    for frame in _decode(container, stream, counts, {**options, **decoder_limits(reading)}):
        check_size(
            context.coded_width if shrunk else frame.width, context.coded_height if shrunk else frame.height, reading
        )
        before, pts = pts, _presentation_time(frame, pts if counts.frames else None, untimed)
        counts.count_frame(frame, pts - before)
        if counts.frames > reading.max_frames:
            raise DecodeFailure(f"more than {reading.max_frames} frames; expected at most so many (--max-frames)")
        yield pts, frame
    _check_end(container, counts)
    if reading.strict and (counts.corrupt_frames or counts.lost_packets):
        words = f"; FFmpeg says: {counts.last_error}" if counts.last_error else ""
        words += f"; {counts.early_end}" if counts.early_end else ""
        raise DecodeFailure(
            f"{counts.corrupt_frames} corrupt of {counts.frames} frames and {counts.lost_packets} lost packets; "
            f"expected none (--strict){words}"
        )


def _presentation_time(frame: VideoFrame, before: int | None, untimed: bool) -> int:
    """Choose the time of a frame from what the decoder says, given that of the frame before.

    Made-up times go back and forth where frames are reordered; times of decoding ascend, and serve in their place. A jump back of
    both is one in the file, and is kept.
    """
    pts, dts = (frame.dts if untimed else frame.pts), frame.dts
    if before is None:
        return 0 if pts is None else pts
    if pts is None:
        return before + 1
    if pts > before:
        return pts
    if untimed or dts is None:
        return before + 1
    return dts if dts > before else pts


def _check_end(container: InputContainer, counts: FrameCounts) -> None:
    """Compare where the file ends with what its container promises."""
    name = container.format.name
    missing = missing_bytes(path_of(container), name)
    if missing:
        amount = f"at least {missing:,} bytes are missing" if missing > 1 else "something is missing"
        counts.count_early_end(f"the file ends early: {amount}")
    elif counts.partial_packet and name != "mpegts":  # marks any damage so
        counts.count_early_end("the file ends early: its last packet is incomplete")


def _decode(
    container: InputContainer, stream: VideoStream, counts: FrameCounts, options: Mapping[str, str]
) -> Iterator[VideoFrame]:
    """Decode packet by packet, so that one bad packet does not end the video."""
    context = stream.codec_context
    context.thread_type = "NONE"
    context.thread_count = 1
    context.options = dict(options)
    try:
        for packet in _packets(container, stream):
            counts.count_packet(packet)
            try:
                yield from packet.decode()
            except av.error.EOFError:
                return
            except _UNDECODABLE as error:
                counts.count_lost(str(error.strerror))
    except av.error.InvalidDataError as error:
        counts.count_lost(str(error.strerror))
    except (av.error.FFmpegError, OSError, MemoryError) as error:
        raise failure(error) from None


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    try:
        yield from container.demux(stream)
    except IndexError:
        # PyAV does not know streams that appear while it reads, as they do in transport streams, and stumbles over them when it
        # empties the decoders at the end; ours, which was there from the start, comes first.
        return


def no_frames(counts: FrameCounts) -> NoFramesFailure:
    """Return the failure of a file in which not one frame could be decoded, with the last error."""
    return NoFramesFailure(f"not one frame could be decoded{': ' if counts.last_error else ''}{counts.last_error}")


def side_data(frame: VideoFrame, kind: str) -> Any:
    """Return one kind of side data of a frame, or None; a buffer that pins the frame."""
    # frame.side_data is a reference cycle (frame <-> container) that keeps frames alive; a container of our own is none.
    make: Any = SideDataContainer
    try:
        return make(frame).get(kind)
    except ValueError:  # a kind that PyAV has no name for, EXIF for one, and then none of them can be read
        return None
