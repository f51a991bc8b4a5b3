"""Clips of a textured square that moves over a textured background, and files that are no such thing."""

from __future__ import annotations

import functools
import io
import wave
from pathlib import Path

import av
import numpy as np

HEIGHT, WIDTH = 48, 64
NOT_VIDEOS = {"audio.mp4": "no_video_stream", "empty.mp4": "open", "text.mp4": "open"}
"""Files that :func:`write_mixed` adds to its clips, and the failure class each ends with."""


@functools.cache
def clip(frames: int = 12, seed: int = 0, codec: str = "libx264", container: str = "mp4") -> bytes:
    """Encode a clip whose square starts at the left and moves 2 pixels a frame, wrapping around."""
    random = np.random.default_rng(seed)
    background = random.integers(60, 120, (HEIGHT, WIDTH), np.uint8)
    square = random.integers(140, 255, (16, 16), np.uint8)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.gop_size = 250
        for index in range(frames):
            picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)  # luma above, colourless chroma below
            picture[:HEIGHT] = background
            x = 2 * (index + seed) % (WIDTH - 16)
            picture[16:32, x : x + 16] = square
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def write_clips(folder: Path, count: int, frames: int = 12) -> list[Path]:
    """Write clips ``0.mp4``, ``1.mp4``, …, each one frame longer than the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}.mp4" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(clip(frames + number, number))
    return paths


def write_mixed(folder: Path, clips: int = 4) -> Path:
    """Write clips and one of every file of :data:`NOT_VIDEOS`."""
    write_clips(folder, clips)
    write_sound(folder / "audio.mp4")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("not a video, whatever its name says\n")
    return folder


def write_sound(path: Path) -> None:
    """Write a file that holds sound and no picture."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(8000))
