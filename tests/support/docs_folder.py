"""The folder in which the examples of a page of the documentation run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mgmtool.extraction import extract
from support import groundtruth
from support.moving import encode, panning, square_path, with_square


def furnish(folder: Path, page: str) -> None:
    """Put there what the page takes for granted: films, and their mask store where the page does not make it."""
    _FOLDERS.get(page, _films_and_store)(folder)


def film(path: Path, frames: int = 64, seed: int = 0, codec: str = "libx264") -> Path:
    """Write a film of a square that moves over a texture that pans."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = with_square(panning(frames, 128, 192, (0, -1), seed), square_path(frames, (30, 10), (0, 2)), 32)
    return encode(path, pictures, codec)


def _films(folder: Path) -> None:
    film(folder / "videos" / "bikes.mp4")
    film(folder / "videos" / "a" / "b.mp4", 40, 1)


def _one_film(folder: Path) -> None:
    film(folder / "clip.mp4")


def _films_and_store(folder: Path) -> None:
    _films(folder)
    outcomes = list(extract([str(folder / "videos")], folder / "masks.zarr", engine="inline"))
    assert [outcome.done for outcome in outcomes] == [True, True]


def _films_and_truth(folder: Path) -> None:
    _films(folder)
    for seed, name in enumerate(("dog", "car")):
        groundtruth.write_sequence(folder / "groundtruth" / name, groundtruth.path_of(34), seed)


def _films_and_list(folder: Path) -> None:
    _films_and_truth(folder)
    groundtruth.write_mot(folder / "tracks.txt", groundtruth.path_of(64, (30, 10), (0, 2)), 32)
    (folder / "train.csv").write_text("path,label\nvideos/a/b.mp4,3\nvideos/bikes.mp4,7\n")


def _kinetics(folder: Path) -> None:
    rows = ["label,youtube_id,time_start,time_end,split"]
    for number, (label, name) in enumerate([("juggling balls", "aaaaaaaaaaa"), ("riding a bike", "bbbbbbbbbbb")]):
        rows.append(f"{label},{name},{number},{number + 10},train")
        film(folder / "kinetics" / "train" / label / f"{name}_{number:06}_{number + 10:06}.mp4", 64, number)
    rows += ["riding a bike,ccccccccccc,5,15,train", "juggling balls,ddddddddddd,20,30,train"]
    broken = folder / "kinetics" / "train" / "riding a bike" / "ccccccccccc_000005_000015.mp4"
    broken.write_bytes(b"")
    (folder / "kinetics" / "train.csv").write_text("\n".join(rows) + "\n")


def _ssv2(folder: Path) -> None:
    for number in (1, 2):
        film(folder / "20bn-something-something-v2" / f"{number}.webm", 36, number, "libvpx-vp9")


_FOLDERS: dict[str, Callable[[Path], None]] = {
    "README.md": _films_and_truth,
    "cli.md": _films_and_list,
    "quality.md": _films_and_truth,
    "quickstart.md": _films,
    "schemes.md": _one_film,
    "ssv2.md": _ssv2,
    "tutorial-kinetics.md": _kinetics,
}
