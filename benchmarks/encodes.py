"""Other encodes of films with ground truth, to see what a codec does to the masks.

Takes every folder with ``frames/*.jpg`` and ``masks/*.png`` and writes, for each kind of encode, the same folders with a film
made from exactly these frames, and the masks beside it (linked, or resized for a smaller film).

    python benchmarks/encodes.py GROUNDTRUTH OUT [--kind mpeg4 ...]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Encode:
    """How a film is encoded: encoder, its options, constant quantiser for encoders that have one, short side."""

    codec: str
    options: dict[str, str] = field(default_factory=dict)
    quantiser: int | None = None
    short_side: int | None = None


KINDS = {
    "x264": Encode("libx264"),
    "x264-g12-bf0": Encode("libx264", {"g": "12", "bf": "0"}),
    "x264-crf35": Encode("libx264", {"crf": "35"}),
    "mpeg4": Encode("mpeg4", quantiser=4),
    "x264-256": Encode("libx264", short_side=256),
    "x264-240": Encode("libx264", short_side=240),
    "x264-720": Encode("libx264", short_side=720),
}


def encode(pictures: list[Path], output: Path, kind: Encode) -> None:
    """Write a film of 24 frames a second from pictures."""
    with av.open(str(output), "w") as container:
        stream: Any = container.add_stream(kind.codec, rate=24, options=dict(kind.options))
        width, height = size_of(Image.open(pictures[0]), kind)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # More threads would cut each picture into slices, as many as this machine has cores: another film on every machine.
        stream.codec_context.thread_count = 1
        if kind.quantiser is not None:
            context = stream.codec_context
            context.options = {**kind.options, "flags": "+qscale", "global_quality": str(118 * kind.quantiser)}
        for path in pictures:
            picture = Image.open(path).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
        container.mux(stream.encode(None))


def size_of(picture: Image.Image, kind: Encode) -> tuple[int, int]:
    """Even width and height of the film."""
    scale = 1.0 if kind.short_side is None else kind.short_side / min(picture.size)
    width, height = (round(side * scale / 2) * 2 for side in picture.size)
    return width, height


def write_masks(masks: Path, output: Path, size: tuple[int, int]) -> None:
    """Link the masks, or resize them where the film is smaller."""
    first = next(iter(sorted(masks.glob("*.png"))))
    if Image.open(first).size == size:
        output.symlink_to(masks.resolve())
        return
    output.mkdir()
    for path in sorted(masks.glob("*.png")):
        Image.open(path).resize(size, Image.Resampling.NEAREST).save(output / path.name)


def make_encodes(groundtruth: Path, output: Path, kind: str) -> list[Path]:
    """Encode every sequence of a folder in one way and return the folders made, below ``output / kind``."""
    made = []
    for folder in sorted(path.parent for path in groundtruth.glob("*/frames")):
        pictures = sorted((folder / "frames").glob("*.jpg"))
        if not pictures or not (folder / "masks").is_dir():
            continue
        place = output / kind / folder.name
        place.mkdir(parents=True)
        encode(pictures, place / "video.mp4", KINDS[kind])
        write_masks(folder / "masks", place / "masks", size_of(Image.open(pictures[0]), KINDS[kind]))
        made.append(place)
    return made


def main() -> None:
    """Make the encodes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groundtruth", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--kind", action="append", choices=list(KINDS))
    given = parser.parse_args()
    for kind in given.kind or KINDS:
        for place in make_encodes(given.groundtruth, given.output, kind):
            print(place)


if __name__ == "__main__":
    main()
