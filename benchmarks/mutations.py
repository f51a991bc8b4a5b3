"""Ways to damage a video file, each drawn from one generator of random numbers, so that a case can be made again."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

Mutation = Callable[[bytearray, random.Random], None]

_NUMBERS = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_FOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"moof", b"traf", b"mvex"}
_HEADER = 2048


class Box(NamedTuple):
    """A box of an mp4 file: ``data[start:stop]``, inside the boxes that start at ``parents``."""

    start: int
    stop: int
    parents: tuple[int, ...]


def mutate(data: bytes, rng: random.Random) -> tuple[bytes, list[str]]:
    """Damage a file in one to four ways; return what is left, and what was done."""
    damaged, done = bytearray(data), []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        name = rng.choice(list(MUTATIONS))
        if len(damaged) > 64:
            MUTATIONS[name](damaged, rng)
            done.append(name)
    return bytes(damaged), done


def boxes(data: bytes | bytearray) -> list[Box]:
    """Every box of an mp4 file, down to those that hold no others; none of a file of another kind."""
    return list(_boxes(data, 0, len(data), ())) if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide") else []


def _boxes(data: bytes | bytearray, start: int, stop: int, parents: tuple[int, ...]) -> Iterator[Box]:
    while start + 8 <= stop:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > stop:
            return
        yield Box(start, start + size, parents)
        if kind in _FOLDERS:
            yield from _boxes(data, start + 8, start + size, (*parents, start))
        start += size


def _span(data: bytearray, rng: random.Random, most: int) -> tuple[int, int]:
    """Draw a place and an end; short spans are as likely as long ones."""
    length = min(int(most ** rng.random()) + 1, len(data))
    start = rng.randrange(len(data) - length + 1)
    return start, start + length


def flip_bits(data: bytearray, rng: random.Random) -> None:
    """Flip single bits anywhere."""
    for _ in range(int(200 ** rng.random())):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def flip_header(data: bytearray, rng: random.Random) -> None:
    """Flip single bits near the start or the end, where containers keep what describes the rest."""
    first = 0 if rng.random() < 0.5 else max(0, len(data) - _HEADER)
    for _ in range(int(20 ** rng.random())):
        data[min(first + rng.randrange(_HEADER), len(data) - 1)] ^= 1 << rng.randrange(8)


def overwrite_run(data: bytearray, rng: random.Random) -> None:
    """Put random bytes over a run."""
    start, stop = _span(data, rng, 256)
    data[start:stop] = rng.randbytes(stop - start)


def zero_range(data: bytearray, rng: random.Random) -> None:
    """Put zeros over a range of up to a quarter of the file."""
    start, stop = _span(data, rng, len(data) // 4)
    data[start:stop] = bytes(stop - start)


def put_number(data: bytearray, rng: random.Random) -> None:
    """Put an extreme number somewhere, in either byte order and any width."""
    width, order = rng.choice((1, 2, 4)), rng.choice(("big", "little"))
    start = rng.randrange(min(len(data), 4 * _HEADER) - 4) if rng.random() < 0.5 else rng.randrange(len(data) - 4)
    value = rng.choice(_NUMBERS) % (1 << 8 * width)
    data[start : start + width] = value.to_bytes(width, "big" if order == "big" else "little")


def truncate(data: bytearray, rng: random.Random) -> None:
    """Cut the end off."""
    del data[rng.randrange(32, len(data)) :]


def remove_range(data: bytearray, rng: random.Random) -> None:
    """Take a range out."""
    start, stop = _span(data, rng, len(data) // 4)
    del data[start:stop]


def duplicate_range(data: bytearray, rng: random.Random) -> None:
    """Repeat a range at its end."""
    start, stop = _span(data, rng, len(data) // 4)
    data[stop:stop] = data[start:stop]


def swap_chunks(data: bytearray, rng: random.Random) -> None:
    """Exchange two chunks of the same length."""
    one, stop = _span(data, rng, len(data) // 4)
    length = stop - one
    other = rng.randrange(len(data) - length + 1)
    data[one:stop], data[other : other + length] = data[other : other + length], data[one:stop]


def duplicate_box(data: bytearray, rng: random.Random) -> None:
    """Repeat a box; those around it know of it, or do not."""
    if box := _draw_box(data, rng):
        copy = data[box.start : box.stop]
        data[box.stop : box.stop] = copy
        _grow(data, box, len(copy), rng)


def remove_box(data: bytearray, rng: random.Random) -> None:
    """Take a box out; those around it know of it, or do not."""
    if box := _draw_box(data, rng):
        del data[box.start : box.stop]
        _grow(data, box, box.start - box.stop, rng)


def resize_box(data: bytearray, rng: random.Random) -> None:
    """Let a box say another size."""
    if box := _draw_box(data, rng):
        size = box.stop - box.start
        wrong = rng.choice((*_NUMBERS, size - 1, size + 1, size // 2, size * 2, rng.randrange(1 << 32)))
        struct.pack_into(">I", data, box.start, wrong)


def put_number_in_box(data: bytearray, rng: random.Random) -> None:
    """Put an extreme number at the start of a box, where the counts, sizes and times are."""
    if (box := _draw_box(data, rng)) and box.stop - box.start >= 16:
        places = min((box.stop - box.start - 8) // 4, 24)
        struct.pack_into(">I", data, box.start + 8 + 4 * rng.randrange(places), rng.choice(_NUMBERS))


def rename_box(data: bytearray, rng: random.Random) -> None:
    """Let a box say it is of another kind."""
    found = boxes(data)
    if found:
        one, other = rng.choice(found), rng.choice(found)
        data[one.start + 4 : one.start + 8] = data[other.start + 4 : other.start + 8]


def _draw_box(data: bytearray, rng: random.Random) -> Box | None:
    found = boxes(data)
    return rng.choice(found) if found else None


def _grow(data: bytearray, box: Box, by: int, rng: random.Random) -> None:
    if rng.random() < 0.7:
        for parent in box.parents:
            size = struct.unpack_from(">I", data, parent)[0]
            struct.pack_into(">I", data, parent, size + by)


MUTATIONS: dict[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        *(flip_bits, flip_header, overwrite_run, zero_range, put_number, truncate, remove_range, duplicate_range),
        *(swap_chunks, duplicate_box, remove_box, resize_box, put_number_in_box, rename_box),
    )
}
"""Every way to damage a file, by name."""
