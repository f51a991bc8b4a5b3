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
_CONTAINER_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _DEMUXERS.replace(" ", ",")}
# A title need not be UTF-8. PyAV before 19 refuses such a file without this argument; 19 keeps the bytes and does not know it.
_ANY_TEXT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image


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
    """Open a file and choose its video stream: the one asked for, or the first that is no cover picture or still.

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
    with _opened(path, reading) as container:
        if len(container.streams) > reading.max_streams:
            raise OpenFailure(f"the file has {len(container.streams)} streams; expected at most {reading.max_streams}")
        stream = _main_stream(container) if reading.stream is None else _stream_number(container, reading.stream)
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


@contextmanager
def _opened(path: str, reading: DecodeOptions) -> Iterator[InputContainer]:
    limits = {"max_streams": str(reading.max_streams + 1)}
    # The "file:" prefix keeps FFmpeg from reading a name such as "concat:a.mp4" as a protocol.
    try:
        container = av.open(
            "file:" + path,
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
        yield container


def decoder_limits(reading: DecodeOptions) -> dict[str, str]:
    """Return FFmpeg's own limit on pictures, which holds before they are allocated.

    It counts whole blocks, and so is wider than ours: :func:`check_size` says exactly, and in words, what is too large.
    """
    return {"max_pixels": str(reading.max_pixels + reading.max_pixels // 16 + 2**16)}


def check_size(width: int, height: int, reading: DecodeOptions) -> None:
    """Refuse pictures of more pixels than the limit.

    Raises
    ------
    OpenFailure
    """
    if width * height > reading.max_pixels:
        raise OpenFailure(
            f"picture is {width} x {height} = {width * height} pixels; expected at most {reading.max_pixels} (--max-pixels)"
        )


def _main_stream(container: InputContainer) -> VideoStream:
    """First video stream with a decoder that is not a picture riding along (cover art, thumbnails)."""
    streams = [s for s in container.streams.video if getattr(s, "codec_context", None) is not None]
    film = next((s for s in streams if not s.disposition & _NO_FILM), None)
    if film is None:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "none"
        raise NoVideoStreamFailure(f"no video stream; the file has streams: {kinds}")
    return film


def _stream_number(container: InputContainer, number: int) -> VideoStream:
    """Video stream by its number among all streams."""
    streams: list[Stream] = list(container.streams)
    chosen = streams[number] if number < len(streams) else None
    if isinstance(chosen, VideoStream) and getattr(chosen, "codec_context", None) is not None:
        return chosen
    there = ", ".join(f"{s.index} {s.type} ({_codec_name(s)})" for s in streams) or "none"
    raise NoVideoStreamFailure(f"stream {number} is no video stream; the file has streams: {there}")


def _codec_name(stream: Stream) -> str:
    context = getattr(stream, "codec_context", None)
    return "no decoder" if context is None else str(context.name)


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
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        # FFmpeg answers "Input/output error" to garbage in some headers, too: the system knows whether the file can be read.
        refused = _refusal(opening)
        if refused is not None:
            return ReadFailure(f"cannot read the file: {refused}")
    if _is_empty(opening):
        words += " (the file is empty)"
    return OpenFailure(f"cannot be opened as a video: {words}")


def _refusal(path: str) -> str | None:
    """Return the system's words if it refuses to read a file, None if it does not."""
    try:
        with Path(path).open("rb") as file:
            file.read(1)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def _is_empty(path: str) -> bool:
    try:
        return Path(path).stat().st_size == 0
    except (OSError, ValueError):
        return False
