"""Damages a store in hundreds of places: every damage that changes a value must be found, and made good again.

Makes a small store of four parts, one of whose videos failed. Each case damages a fresh copy of it in one place that depends only
on the seed and the number of the case: a bit of any file is flipped, a file or a part is deleted, cut short, emptied or exchanged
for another, a row of a record or an attribute of the root is edited. The store is read with zarr and pyarrow alone before and
after, which says whether a value has changed. Where one has, ``verify --deep`` must give an error; ``repair`` and the same
extraction must then give the bytes of the undisturbed store, and what was sound must not have been touched in between.

Ends with 1 if a damage was missed, or a store did not come out as it was.

    python benchmarks/damage.py [--cases 400] [--seed 0] [--only NUMBER ...] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zarr

from mgmtool.extraction import extract
from mgmtool.store import repair, verify
from mgmtool.types import ExtractSpec, PatchGrid

_SPEC = ExtractSpec(grid=PatchGrid(7, 7), energy_grid=PatchGrid(8, 8), part_videos=2)
_VIDEOS = 7


def make_videos(folder: Path) -> None:
    """Write short films in which a texture moves, and one file that is no video."""
    folder.mkdir()
    for number in range(_VIDEOS):
        texture = (
            np.random.default_rng(number).integers(16, 235, (12, 16), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        )
        with av.open(str(folder / f"{number}.mp4"), "w") as output:
            stream: Any = output.add_stream("libx264", rate=25, options={"bf": "2"})
            stream.height, stream.width = texture.shape
            stream.pix_fmt, stream.codec_context.thread_count = "yuv420p", 1
            for t in range(10 + number):
                picture = np.roll(texture, (t, 2 * t), axis=(0, 1))
                output.mux(stream.encode(av.VideoFrame.from_ndarray(np.stack([picture] * 3, axis=2), "rgb24")))
            output.mux(stream.encode())
    (folder / "broken.mp4").write_bytes(b"no video")


def run(videos: Path, store: Path) -> None:
    """Do what the same ``extract`` command does."""
    list(extract([str(videos)], store, _SPEC, "inline"))


def contents(store: Path) -> dict[str, bytes]:
    """Every file of a store by its name, but its lock and what runs say of themselves."""
    files = {path.relative_to(store).as_posix(): path.read_bytes() for path in store.rglob("*") if path.is_file()}
    return {name: content for name, content in files.items() if not name.startswith(("runs/", ".lock"))}


def values(store: Path) -> dict[str, Any]:
    """Every value of a store as zarr and pyarrow read it; what cannot be read is named by its error."""
    found: dict[str, Any] = {"root": attempt(lambda: dict(zarr.open_group(str(store), mode="r", zarr_format=3).attrs))}
    for path in sorted(store.glob("part-*/*/")):
        found[f"{path.parent.name}/{path.name}"] = attempt(lambda path=path: array(path))
    for path in sorted(store.glob("index/part-*.parquet")):
        found[f"index/{path.name}"] = attempt(lambda path=path: rows(path.read_bytes()))
    if (store / "index.parquet").exists():  # without it, readers take the records
        found["index.parquet"] = attempt(lambda: rows((store / "index.parquet").read_bytes()))
    return found


def attempt(read: Callable[[], Any]) -> Any:
    """Read something, or say why it cannot be read."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001  damaged files raise errors of many kinds
        return f"{type(error).__name__}: {error}"


def array(path: Path) -> tuple[str, tuple[int, ...], bytes, Any]:
    """Read an array whole."""
    opened: Any = zarr.open_array(str(path), mode="r", zarr_format=3)
    content = opened[...]
    return str(content.dtype), content.shape, content.tobytes(), opened.metadata.dimension_names


def rows(content: bytes) -> list[dict[str, Any]]:
    """Read the rows of a record."""
    return list(pq.ParquetFile(pa.BufferReader(content)).read().to_pylist())


# --- damage -------------------------------------------------------------------------------------------------------------


def flip(store: Path, rng: random.Random) -> str:
    """Flip a bit of any file; small files are as likely as large ones."""
    path = any_file(store, rng)
    content = bytearray(path.read_bytes())
    at, bit = rng.randrange(len(content)), rng.randrange(8)
    content[at] ^= 1 << bit
    path.write_bytes(bytes(content))
    return f"bit {bit} of byte {at} of {path.relative_to(store)}"


def delete(store: Path, rng: random.Random) -> str:
    """Delete a file."""
    path = any_file(store, rng)
    path.unlink()
    return f"{path.relative_to(store)} deleted"


def delete_record(store: Path, rng: random.Random) -> str:
    """Delete a commit record, alone or with its arrays, or the arrays alone."""
    number, which = rng.randrange(4), rng.choice(["record", "arrays", "both"])
    if which != "arrays":
        (store / f"index/part-0000{number}.parquet").unlink()
    if which != "record":
        shutil.rmtree(store / f"part-0000{number}")
    return f"{which} of part {number} deleted"


def cut(store: Path, rng: random.Random) -> str:
    """Cut a file short, or empty it, or put zeros into its place."""
    path = any_file(store, rng)
    content = path.read_bytes()
    at = rng.choice([0, rng.randrange(len(content))])
    path.write_bytes(content[:at] + bytes(len(content) - at if rng.random() < 0.5 else 0))
    return f"{path.relative_to(store)} spoilt from byte {at} on"


def exchange(store: Path, rng: random.Random) -> str:
    """Exchange two files of the same place in two parts."""
    path = rng.choice(sorted([*store.glob("part-00000/**/c/**/*"), *store.glob("index/part-00000.parquet")]))
    while path.is_dir():
        path = rng.choice(sorted(path.iterdir()))
    other = store / path.relative_to(store).as_posix().replace("00000", f"0000{rng.randrange(1, 3)}", 1)
    mine, theirs = path.read_bytes(), other.read_bytes()
    path.write_bytes(theirs)
    other.write_bytes(mine)
    return f"{path.relative_to(store)} and {other.relative_to(store)} exchanged"


def edit_row(store: Path, rng: random.Random) -> str:
    """Edit a value of a record or of the index, or exchange two ids, as a script with pyarrow would."""
    path = rng.choice([*sorted(store.glob("index/*.parquet")), store / "index.parquet"])
    table = pq.read_table(path)
    content = table.to_pylist()
    row, name = (
        rng.randrange(len(content)),
        rng.choice([field.name for field in table.schema if field.name != "index_risk"]),
    )
    if name == "id" and len(content) > 1:
        content[0]["id"], content[1]["id"] = content[1]["id"], content[0]["id"]
    else:
        now = content[row][name]
        kind = table.schema.field(name).type
        plain = "7" if pa.types.is_string(kind) else True if pa.types.is_boolean(kind) else 7
        content[row][name] = plain if now is None else not now if isinstance(now, bool) else now + type(now)(plain)
    metadata = table.schema.metadata if rng.random() < 0.7 else None
    pq.write_table(pa.Table.from_pylist(content, schema=table.schema).replace_schema_metadata(metadata), path)
    return f"{name} of row {row} of {path.relative_to(store)} edited{'' if metadata else ', its metadata dropped'}"


def edit_root(store: Path, rng: random.Random) -> str:
    """Edit an attribute of the root."""
    path = store / "zarr.json"
    root = json.loads(path.read_text())
    target, name = root["attributes"], rng.choice(sorted(root["attributes"]))
    while isinstance(target[name], dict) and target[name]:
        target = target[name]
        name = rng.choice(sorted(target))
    target[name] = rng.choice([5, "other", None])
    path.write_text(json.dumps(root, indent=2))
    return f"attribute {name} edited"


def any_file(store: Path, rng: random.Random) -> Path:
    """Choose a file that is not empty."""
    return rng.choice(sorted(path for path in store.rglob("*") if path.is_file() and path.stat().st_size))


_KINDS = {flip: 50, delete: 12, delete_record: 8, cut: 10, exchange: 5, edit_row: 10, edit_root: 5}


# --- cases --------------------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """What became of a case: which damage, whether a value changed, whether it was found, and what went wrong after it."""

    kind: str
    words: str
    changed: bool = False
    found: bool = False
    wrong: str = ""


def try_case(number: int, seed: int, sound: Path, videos: Path, store: Path) -> Case:
    """Damage a copy of a store, check it, repair it, and extract what is missing."""
    rng = random.Random(f"{seed}/{number}")
    spoil = rng.choices(list(_KINDS), list(_KINDS.values()))[0]
    shutil.rmtree(store, ignore_errors=True)
    shutil.copytree(sound, store)
    case = Case(spoil.__name__, spoil(store, rng))
    before, after = values(sound), values(store)
    after.setdefault("index.parquet", before["index.parquet"])
    case.changed = before != after
    try:
        case.found = any(finding.severity == "error" for finding in verify(store, deep=True))
        kept = contents(store)
        dropped = repair(store).dropped
        case.wrong = _touched(kept, contents(store), dropped)
        run(videos, store)
        case.wrong = case.wrong or _different(contents(sound), contents(store))
        left = [finding.message for finding in verify(store, deep=True) if finding.severity == "error"]
        case.wrong = case.wrong or (f"still wrong afterwards: {left[0]}" if left else "")
    except Exception as error:  # noqa: BLE001  any is a case that went wrong
        case.wrong = f"{type(error).__name__}: {error}"
    if case.changed and not case.found:
        case.wrong = "not found"
    return case


def _touched(before: dict[str, bytes], after: dict[str, bytes], dropped: list[int]) -> str:
    """Name a file that was touched though its part was not dropped."""
    gone = [f"part-{number:05}" for number in dropped]
    for name, content in before.items():
        of_part = name.startswith(("part-", "index/part-"))
        if of_part and not any(part in name for part in gone) and after.get(name) != content:
            return f"repair touched {name}"
    return ""


def _different(sound: dict[str, bytes], store: dict[str, bytes]) -> str:
    """Name a file that is not as it was: arrays and root by their bytes, records by their rows."""
    if sound.keys() != store.keys():
        return f"not the same files: {sorted(sound.keys() ^ store.keys())[:3]}"
    for name, content in sound.items():
        if name.endswith(".parquet"):
            both = [[{**row, "seconds": 0} for row in rows(item)] for item in (content, store[name])]
            if both[0] != both[1]:
                return f"rows of {name} are not as they were"
        elif store[name] != content:
            return f"{name} is not as it was"
    return ""


def main() -> int:
    """Run the cases and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="+", metavar="NUMBER")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the damaged store of the last case there")
    given = parser.parse_args()
    start, cases = time.perf_counter(), list[Case]()
    with tempfile.TemporaryDirectory(prefix="mgmtool-damage-") as name:
        folder = Path(name)
        videos, sound = folder / "videos", folder / "sound.zarr"
        make_videos(videos)
        run(videos, sound)
        for number in given.only or range(given.cases):
            case = try_case(number, given.seed, sound, videos, given.keep or folder / "damaged.zarr")
            cases.append(case)
            if case.wrong or given.only:
                print(f"case {number}: {case.words}: {case.wrong or 'as it was'}", flush=True)
    print(f"{'damage':<14} {'cases':>6} {'changed a value':>16} {'found':>6} {'found besides':>14} {'wrong':>6}")
    for kind in [*(spoil.__name__ for spoil in _KINDS), "all"]:
        these = [case for case in cases if kind in {case.kind, "all"}]
        changed = [case for case in these if case.changed]
        counts = len(these), len(changed), sum(case.found for case in changed)
        besides, wrong = sum(case.found and not case.changed for case in these), sum(bool(case.wrong) for case in these)
        print(f"{kind:<14} {counts[0]:>6} {counts[1]:>16} {counts[2]:>6} {besides:>14} {wrong:>6}")
    failed = Counter(bool(case.wrong) for case in cases)[True]
    print(f"{len(cases)} cases in {time.perf_counter() - start:.0f} s; {failed} went wrong")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
