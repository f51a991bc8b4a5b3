"""Files that end early: fewer bytes or frames than the container promises."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_MATROSKA_SEGMENT, _MATROSKA_CLUSTER = 0x18538067, 0x1F43B675
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_OGG_LAST_PAGE = 4
_OGG_LONGEST_PAGE = 65_307
_FLV_METADATA = 1 << 16
"""Bytes at the start of an FLV file in which its metadata is looked for."""


def missing_bytes(path: str, container: str) -> int:
    """Return how many bytes a file lacks of those that its container promises.

    Containers that promise nothing, such as MPEG transport and program streams and raw streams, cannot tell; nor can files whose
    writer did not get to fill in the length.

    Parameters
    ----------
    path : str
        A local file.
    container : str
        FFmpeg's name of its demuxer.

    Returns
    -------
    int
        0 if nothing is missing, or if the file does not tell; 1 if it is not known how much.
    """
    promised = _PROMISED.get(container)
    if promised is None:
        return 0
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return max(promised(file, size) - size, 0)
    except (OSError, ValueError, OverflowError, struct.error):
        return 0  # nothing that could be read promises anything


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def avi_end(file: BinaryIO, size: int) -> int:
    """End of the last list of frames; files of more than 1 GB have several. What follows the frames is only an index."""
    at, end = 0, 0
    while len(head := _read(file, at, 12)) == 12 and head[:4] == b"RIFF":
        after, chunk = at + 8 + int.from_bytes(head[4:8], "little"), at + 12
        while chunk < min(after, size) and len(inner := _read(file, chunk, 12)) == 12:
            length = int.from_bytes(inner[4:8], "little")
            if inner[:4] == b"LIST" and inner[8:] == b"movi":
                end = max(end, chunk + 8 + length) if 0 < length < 0xFFFF_0000 else end
                break
            chunk += 8 + length + length % 2
        if after <= at + 12:
            break
        at = after
    return end


def matroska_end(file: BinaryIO, size: int) -> int:
    """End of the segment; of the last element, where a live stream leaves the length of its segment open."""
    at, end = 0, 0
    while at < size:
        head = _read(file, at, 12)
        id_length = 9 - head[0].bit_length()
        if id_length > 4:
            return end  # no element
        if len(head) <= id_length:
            return size + 1
        length_bytes = 9 - head[id_length].bit_length()
        start = id_length + length_bytes
        if length_bytes > 8:
            return end
        if len(head) < start:
            return size + 1
        kind = int.from_bytes(head[:id_length], "big")
        length = int.from_bytes(head[id_length:start], "big") - (1 << 7 * length_bytes)
        unknown = length == (1 << 7 * length_bytes) - 1
        if unknown and kind not in {_MATROSKA_SEGMENT, _MATROSKA_CLUSTER}:
            return end
        at += start + (0 if unknown else length)
        end = max(end, at)
    return end


def mov_end(file: BinaryIO, size: int) -> int:
    """End of the last box that holds frames or says where they are."""
    at, end = 0, 0
    while at < size and len(head := _read(file, at, 16)) >= 8:
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        if length < 8:  # 0: up to the end of the file
            break
        at += length
        if head[4:8] in {b"mdat", b"moof", b"moov"}:
            end = at
    return end


def asf_end(file: BinaryIO, _size: int) -> int:
    """Length of the file as its header states it, unless it was written for a broadcast."""
    head = _read(file, 0, 30)
    objects, at = int.from_bytes(head[24:28], "little"), 30
    if head[:16] != _ASF_HEADER:
        return 0
    for _ in range(min(objects, 64)):
        found = _read(file, at, 92)
        if found[:16] == _ASF_FILE_PROPERTIES and len(found) == 92:
            broadcast = found[88] & 1
            return 0 if broadcast else int.from_bytes(found[40:48], "little")
        at += int.from_bytes(found[16:24], "little")
    return 0


def flv_end(file: BinaryIO, _size: int) -> int:
    """Length of the file as its metadata states it."""
    head = _read(file, 0, _FLV_METADATA)
    key = b"\0\x08filesize\0"
    at = head.find(key) + len(key)
    return int(struct.unpack(">d", head[at : at + 8])[0]) if at >= len(key) else 0


def ogg_end(file: BinaryIO, size: int) -> int:
    """End of the last page; one byte more where that is not marked as the last one."""
    tail = _read(file, max(size - _OGG_LONGEST_PAGE, 0), _OGG_LONGEST_PAGE)
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if at < 0:
        return 0
    if len(page) < 27 or len(page) < 27 + page[26]:
        return size + 1
    lacking = 27 + page[26] + sum(page[27 : 27 + page[26]]) - len(page)
    return size + max(lacking, 0) if page[5] & _OGG_LAST_PAGE or lacking > 0 else size + 1


def ivf_end(file: BinaryIO, size: int) -> int:
    """End of the last frame; one byte more where there are fewer than the header counts."""
    head = _read(file, 0, 32)
    at, frames = int.from_bytes(head[6:8], "little"), int.from_bytes(head[24:28], "little")
    while at < size:
        at += 12 + int.from_bytes(_read(file, at, 4), "little")
        frames -= 1
    return max(at, size + (frames > 0))


_PROMISED: dict[str, Callable[[BinaryIO, int], int]] = {
    "avi": avi_end,
    "matroska,webm": matroska_end,
    "mov,mp4,m4a,3gp,3g2,mj2": mov_end,
    "asf": asf_end,
    "flv": flv_end,
    "ogg": ogg_end,
    "ivf": ivf_end,
}
