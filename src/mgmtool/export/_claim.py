"""What an output is an export of: written before anything else, compared before anything is added."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import mgmtool
from mgmtool import plugins
from mgmtool.errors import MgmtoolError, OutputError, SpecMismatchError
from mgmtool.export.base import Format
from mgmtool.files import alone, written_whole
from mgmtool.store import PartFacts, Store

CLAIM = ".mgmtool-export.json"
"""Hidden, since readers of datasets take every other file of a folder for data."""

_PARTIAL = re.compile(r"\.[0-9a-f]{16}\.partial")


def make_claim(name: str, built: Format, store: Store, parts: Sequence[PartFacts]) -> dict[str, Any]:
    """Say what an export holds: format and options, the store, versions, and which parts.

    Returns
    -------
    dict
        Plain values. ``parts`` has ``[number, videos that are done, digest]`` of every part.
    """
    return {
        "format": name,
        "options": plugins.options(built),
        "store": {key: store.attributes.get(key) for key in ("input_root", "spec", "versions")},
        "versions": {"mgmtool": mgmtool.__version__},
        "parts": [[part.number, part.done, part.digest] for part in parts],
    }


def check_claim(output: Path, claim: Mapping[str, Any]) -> int | None:
    """Refuse an output that holds anything but this export, or an earlier state of it.

    Returns
    -------
    int or None
        How many videos that are done the store had when the output was claimed; None if it never was.

    Raises
    ------
    OutputError
        The output is a file, or a folder of something else.
    SpecMismatchError
        It is an export of another store, or made in another way; the message names the first difference.
    """
    with _named(output):
        if output.exists() and not output.is_dir():
            raise OutputError(f"output {output} is a file; expected a new folder or an export of the same store")
        before = _read_claim(output)
    if before is None:
        return None
    then, now = _flat(before), _flat(claim)
    for name in {**now, **then}:
        if now.get(name) != then.get(name):
            raise SpecMismatchError(
                f"{output} is an export with {name}={then.get(name)!r}, this run has {now.get(name)!r}; "
                "expected the same, or another output"
            )
    if before["parts"] != claim["parts"][: len(before["parts"])]:
        raise SpecMismatchError(f"{output} is an export of other videos than the store has; expected another output")
    return _done(before)


def take_claim(output: Path, claim: Mapping[str, Any], built: Format) -> None:
    """Make an output this export, or resume it, and remove what a run that was killed left half-written.

    A store may have grown since: its new videos would begin in the file that was the last, so that one is rebuilt.
    """
    known = check_claim(output, claim)
    with _named(output):
        for path in output.rglob(".*.partial"):
            if _PARTIAL.fullmatch(path.name) and path.is_file():
                path.unlink()
        if known is not None and known < _done(claim) and known % built.videos_per_file:
            (output / built.file(known // built.videos_per_file, "")).unlink(missing_ok=True)
    with written_whole(output / CLAIM) as partial:
        partial.write_text(json.dumps(claim, indent=1) + "\n", "utf-8")


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Make the folder, and keep other runs out of it.

    Raises
    ------
    OutputError
        Another run is writing there, or the folder cannot be made.
    """
    with _named(output):
        output.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        with _named(output, "lock"):
            if not held.enter_context(alone(output)):
                raise OutputError(f"another run is writing to {output}; expected one at a time")
        yield


@contextmanager
def _named(output: Path, action: str = "use") -> Iterator[None]:
    """Turn errors of the system into one line that names the output."""
    try:
        yield
    except MgmtoolError:
        raise
    except OSError as error:
        raise OutputError(f"cannot {action} {output}: {error.strerror}") from None


def _read_claim(output: Path) -> dict[str, Any] | None:
    path = output / CLAIM
    if not path.is_file():
        if output.is_dir() and any(not _PARTIAL.fullmatch(found.name) for found in output.iterdir()):
            raise OutputError(f"output {output} is a folder of something else; expected a new or empty folder")
        return None
    try:
        claim = json.loads(path.read_text("utf-8"))
        parts = [[int(number), int(done), str(digest)] for number, done, digest in claim["parts"]]
        return {**claim, "parts": parts}
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise OutputError(f"cannot read {path}: {error}; expected what an export wrote") from None


def _done(claim: Mapping[str, Any]) -> int:
    return sum(done for _, done, _ in claim["parts"])


def _flat(values: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """Name every value of nested mappings, such as ``store.spec.grid``; the parts are compared otherwise."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{start}{name}.")
        elif name != "parts":
            found[start + name] = value
    return found
