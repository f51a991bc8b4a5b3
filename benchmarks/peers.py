"""mgmtool against other ways to get at motion: CPU, wall, memory, and whether two runs give the same.

Every measurement is a process of its own, which first works on a film of one second, so that imports and compilation do not
count. A round measures each contender once; rounds alternate, and ratios are taken within a round. The floor decodes with PyAV
on one thread, exports vectors, skips the loop filter and reads nothing: a reader of vectors that decodes with FFmpeg cannot use
less CPU. A contender whose package or program is absent is listed as not installed; ``make bench`` installs the packages of
``benchmarks/requirements.txt``, and ``ffmpeg`` is yours to install.

Files are those of $MGMTOOL_CORPUS (340x256, 320x240 MPEG-4, 720p, 1080p), or of ``make demo``. Each is measured as it is and
looped by stream copy to --seconds, where start-up does not dominate. Dense flow runs on the originals only. Worker processes,
started within the measurement, share four copies of the longest form of a file; their CPU is that of all processes, their
memory that of the driver plus the largest of any worker times their number, with shared pages counted every time.

Afterwards, of mgmtool alone: bytes a frame of a store of the files, latency of the loader on it, seconds to start. Prints
Markdown. Ends with 1 if mgmtool failed on a file or found other frames than the floor. By default it takes the better part of an
hour; leave the machine alone meanwhile.

    python benchmarks/peers.py [--runs 5] [--files VIDEO ...] [--seconds 60] [--contenders mgmtool,ffmpeg,...]
        [--rows storage,loader,startup] [--markdown OUT.md] [--json OUT.json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from _clips import find_files, make_clips, write_film
from _contenders import CONTENDERS, FLOOR
from _race import race, reported
from _report import environment, markdown

ROWS = ("storage", "loader", "startup")


def words(known: tuple[str, ...]) -> Any:
    """Return a parser of words between commas."""

    def parse(text: str) -> list[str]:
        asked = [word for word in text.split(",") if word]
        if unknown := [word for word in asked if word not in known]:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
        return asked

    return parse


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--files", type=Path, nargs="+", metavar="VIDEO")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of looped clips; 0 makes none")
    names = tuple(CONTENDERS)
    parser.add_argument(
        "--contenders", type=words(names), default=names, help=f"of {', '.join(names)}; the floor always"
    )
    parser.add_argument("--rows", type=words(ROWS), default=ROWS, help="of storage, loader, startup; '' for none")
    parser.add_argument("--markdown", type=Path, metavar="OUT", help="instead of standard output")
    parser.add_argument("--json", type=Path, metavar="OUT")
    given = parser.parse_args(argv)
    if given.runs < 1:
        parser.error(f"--runs is {given.runs}; expected 1 or more")
    return given


def compete(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure everything; return the report."""
    files = given.files or find_files()
    report: dict[str, Any] = {"environment": environment(), "runs": given.runs}
    film = write_film(folder / "film.mp4")
    names = [name for name in CONTENDERS if name == FLOOR or name in given.contenders]
    clips = make_clips(files, given.seconds, folder)
    report["clips"] = [reported(clip, race(clip, names, given.runs, film)) for clip in clips]
    return report | alone(given, files, film, folder)


def alone(given: argparse.Namespace, files: list[Path], film: Path, folder: Path) -> dict[str, Any]:
    """What there is to say of mgmtool alone."""
    import _rows

    report: dict[str, Any] = {}
    store = folder / "m.zarr"
    if {"storage", "loader"} & set(given.rows):
        _rows.make_store(files, store)
    if "storage" in given.rows:
        report["storage"] = _rows.storage(store)
    if "loader" in given.rows:
        report["loader"] = _rows.loader(store, folder / "cache")
    if "startup" in given.rows:
        report["startup"] = _rows.start_up(film, given.runs)
    return report


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark."""
    given = arguments(argv)
    with tempfile.TemporaryDirectory(prefix="mgmtool-peers-") as name:
        report = compete(given, Path(name))
    if given.json is not None:
        given.json.write_text(json.dumps(report, indent=1) + "\n")
    if given.markdown is None:
        print(markdown(report), end="")
    else:
        given.markdown.write_text(markdown(report))
    return 1 if any(clip["wrong"] for clip in report["clips"]) else 0


if __name__ == "__main__":
    sys.exit(main())
