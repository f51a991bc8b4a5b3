"""Opening a video file, and saying in one line what is wrong when that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import av.error
import av.logging
from av import library_versions as ffmpeg_versions
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from mgmtool.errors import (
    DecodeFailure,
    MemoryFailure,
    NoVideoStreamFailure,
    OpenFailure,
    ReadFailure,
    VideoError,
)
from mgmtool.types import DecodeOptions

# Containers of video, and no playlist: concat, HLS, DASH and image sequences would let a file name other files to read.
_DEMUXERS = (
    "asf avi av1 avs2 avs3 dirac dnxhd dv evc flv gif gxf h261 h263 h264 hevc ingenient ivf kux live_flv lvf lxf m4v matroska "
    "mjpeg mov mpeg mpegts mpegvideo mv mxf nsv nut obu ogg pmp rm smjpeg swf thp vc1 vc1test vvc webm wtv xmv yuv4mpegpipe "
    "aac ac3 aiff amr ape au caf dts eac3 flac mp3 tta w64 wav wv"  # sound: opened to say that it has no video stream
)
_PROTOCOL = "file:"
_CONTAINER_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _DEMUXERS.replace(" ", ",")}
# A title need not be UTF-8. PyAV before 19 refuses such a file without this argument; 19 keeps the bytes and does not know it.
_ANY_TEXT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
_STILLS = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image


def silence_ffmpeg() -> None:
    """Drop FFmpeg's log messages in C.

    PyAV's Python log callback takes the interpreter lock from whatever thread FFmpeg logs in, which can deadlock; its C callback
    that drops everything cannot.
    """
    av.logging.set_level(None)


def library_versions() -> dict[str, str]:
    """Return the versions of PyAV and of the FFmpeg it carries, for the attributes of a store."""
    return {"pyav": av.__version__, "libavcodec": ".".join(map(str, ffmpeg_versions["libavcodec"]))}


class Ratio(Protocol):
    """A Fraction, or PyAV's own kind of it."""

    @property
    def numerator(self) -> int:
        """What is divided."""

    @property
    def denominator(self) -> int:
        """What it is divided by."""


def fraction(said: Ratio | None) -> Fraction | None:
    """Return what a file says of a rate or a unit, None if it says nothing.

    PyAV before 19 has a Fraction or None, 19 a type of its own in which 0/1, and whatever is over 0, is nothing.
    """
    return Fraction(said.numerator, said.denominator) if said else None


@contextmanager
def open_video(path: str, reading: DecodeOptions | None = None) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file and choose its video stream: the one asked for, or the first that is not cover art, a thumbnail or a still.

    Streams other than the chosen one are discarded by the demuxer.

    Parameters
    ----------
    path : str
        A local file.
    reading : DecodeOptions, optional
        Which stream, and the limits of the file.

    Yields
    ------
    container, stream
        PyAV's objects, closed on exit.

    Raises
    ------
    OpenFailure, ReadFailure, NoVideoStreamFailure
    """
    reading = reading or DecodeOptions()
    limits = {"max_streams": str(reading.max_streams + 1)}
    # The "file:" prefix keeps FFmpeg from reading a name such as "concat:a.mp4" as a protocol.
    try:
        container = av.open(
            _PROTOCOL + path,
            container_options=_CONTAINER_OPTIONS | limits,
            options=decoder_limits(reading),
            **_ANY_TEXT,
        )
    except MemoryError:
        raise OpenFailure(
            f"cannot be opened as a video: more than {reading.max_streams} streams, or a header that asks for more memory "
            "than there is"
        ) from None
    except (av.error.FFmpegError, OSError, UnicodeError, ValueError) as error:
        raise failure(error, opening=path) from None
    with container:
        if len(container.streams) > reading.max_streams:
            raise OpenFailure(f"the file has {len(container.streams)} streams; expected at most {reading.max_streams}")
        stream = _choose_stream(container, reading.stream)
        context = stream.codec_context
        check_size(context.width, context.height, reading)
        for other in container.streams:
            if other is not stream:
                other.discard = Discard.all
        yield container, stream


def stream_index(path: str, options: DecodeOptions | None = None) -> int:
    """Return the number of the video stream that is read, among all streams of a file, for readers that must be told.

    Raises
    ------
    VideoError
        As :func:`open_video`.
    """
    with open_video(path, options) as (_, stream):
        return int(stream.index)


def path_of(container: InputContainer) -> str:
    """Return the path of an open file."""
    return container.name.removeprefix(_PROTOCOL)


def video_streams(container: InputContainer) -> list[VideoStream]:
    """List the video streams that there is a decoder for and that are not cover art, thumbnails or stills."""
    streams = [s for s in container.streams.video if getattr(s, "codec_context", None) is not None]
    return [s for s in streams if not s.disposition & _STILLS]


def _choose_stream(container: InputContainer, number: int | None) -> VideoStream:
    """Find a video stream by its number among all streams; the first real one without a number."""
    streams: list[Stream] = list(container.streams)
    if number is None:
        real = video_streams(container)
        if real:
            return real[0]
        kinds = ", ".join(sorted({s.type for s in streams})) or "none"
        raise NoVideoStreamFailure(f"no video stream; the file has streams: {kinds}")
    contexts = {s.index: getattr(s, "codec_context", None) for s in streams}
    chosen = streams[number] if number < len(streams) else None
    if isinstance(chosen, VideoStream) and contexts[chosen.index] is not None:
        return chosen
    names = {index: "no decoder" if context is None else context.name for index, context in contexts.items()}
    there = ", ".join(f"{s.index} {s.type} ({names[s.index]})" for s in streams) or "none"
    raise NoVideoStreamFailure(f"stream {number} is no video stream; the file has streams: {there}")


def decoder_limits(reading: DecodeOptions) -> dict[str, str]:
    """Return FFmpeg's own limit on the size of a frame, which holds before one is allocated.

    It counts whole blocks, and so is wider than ours: :func:`check_size` says exactly, and in words, what is too large.
    """
    return {"max_pixels": str(reading.max_pixels + reading.max_pixels // 16 + 2**16)}


def check_size(width: int, height: int, reading: DecodeOptions) -> None:
    """Refuse frames of more pixels than the limit.

    Raises
    ------
    OpenFailure
    """
    if width * height > reading.max_pixels:
        raise OpenFailure(
            f"picture is {width} x {height} = {width * height} pixels; expected at most {reading.max_pixels} (--max-pixels)"
        )


def failure(error: BaseException, opening: str | None = None) -> VideoError:
    """Sort what FFmpeg or the system raised into a failure class, in FFmpeg's words.

    Parameters
    ----------
    error : BaseException
        What was raised.
    opening : str, optional
        The path, when the file was only being opened.
    """
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        return MemoryFailure("out of memory")
    if opening is None:
        return ReadFailure(words) if isinstance(error, OSError) else DecodeFailure(words)
    asked = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
    try:
        if asked:
            # FFmpeg answers "Input/output error" to garbage in some headers, too: the system knows if the file can be read.
            with Path(opening).open("rb") as file:
                file.read(1)
        words += "" if Path(opening).stat().st_size else " (the file is empty)"
    except (OSError, ValueError) as refusal:
        if asked:
            return ReadFailure(f"cannot read the file: {getattr(refusal, 'strerror', None) or refusal}")
    return OpenFailure(f"cannot be opened as a video: {words}")
