"""The attributes of the root group: by themselves, and against what the commit records repeat of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from mgmtool.errors import StoreError
from mgmtool.storage import Place
from mgmtool.store.checksums import seal_holds
from mgmtool.store.index import recorded_root
from mgmtool.store.layout import ATTRIBUTES, ROOT_FILE, check_attributes
from mgmtool.store.reader import read_attributes
from mgmtool.store.records import committed_numbers, parquet_table, record_file
from mgmtool.store.verify.findings import Finding, error
from mgmtool.store.verify.records import CommitRecord
from mgmtool.types import ExtractSpec


def find_attributes(place: Place) -> tuple[dict[str, Any], list[Finding]]:
    """Read the attributes of the root group; where that is lost or damaged, take those that the records repeat.

    Raises
    ------
    StoreError
        There is no mask store, or nothing says what it was made with.
    """
    try:
        attributes = read_attributes(place)
    except StoreError as problem:
        recorded = recorded_attributes(place)
        if recorded is None:
            raise
        text = f"the root is lost or damaged: {problem}"
        return recorded, [error("attributes", text, file=ROOT_FILE)]
    group = json.loads(place.read(ROOT_FILE)).get("zarr_format")
    wrong = [] if group == 3 else [error("attributes", f"zarr_format is {group!r}; expected 3", file=ROOT_FILE)]
    return attributes, wrong


def recorded_attributes(place: Place, current: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """Return the attributes of the root group that most records repeat, of those whose seal holds.

    Parameters
    ----------
    place : Place
        The store.
    current : dict, optional
        What wins where as many records say one thing as another.
    """
    counts = Counter[bytes]()
    for number in committed_numbers(place):
        try:
            content = place.read(record_file(number))
            root = recorded_root(parquet_table(content, ()).schema.metadata) if seal_holds(content) else None
            if root is not None:
                check_attributes(root, place.name)
                counts[json.dumps(root).encode()] += 1
        except (OSError, ValueError, pa.ArrowException, StoreError):
            continue
    if not counts:
        return None
    most = max(counts.values())
    best: list[dict[str, Any]] = [json.loads(text) for text, count in counts.items() if count == most]
    return next((root for root in best if current is not None and not list(differing(root, current))), best[0])


def differing(expected: Any, found: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield path and both values of every attribute that is not as expected; None for one that is absent."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            yield from differing(value, found.get(name), f"{path}.{name}" if path else name)
    elif json.dumps(expected) != json.dumps(found):
        yield path, expected, found


@dataclass(slots=True)
class RootCheck:
    """The attributes of the root against what each record repeats of them; each attribute that differs is told once.

    Attributes
    ----------
    attributes : dict
        Of the root.
    told : set of str
        Attributes that are known to be wrong.
    """

    attributes: dict[str, Any]
    told: set[str] = field(default_factory=set)

    def alone(self) -> tuple[ExtractSpec | None, list[Finding]]:
        """Read the spec, None if it cannot be used, and compare the attributes that are the same in every store."""
        wrong = {
            name: f"attribute {name} is {self.attributes.get(name)!r}; expected {ATTRIBUTES[name]!r}"
            for name in ("mask_true_means", "axes")
            if self.attributes.get(name) != ATTRIBUTES[name]
        }
        for name in ("units", "input_root", "versions"):
            if name not in self.attributes:
                wrong[name] = f"there is no attribute {name}; expected one"
        spec = None
        try:
            spec = ExtractSpec.from_json(self.attributes["spec"])
            _ = spec.layout
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            text = f"{type(problem).__name__}: {problem}"
            spec, wrong["spec"] = None, f"attribute spec cannot be used: {text}; expected that of an extraction"
        self.told |= wrong.keys()
        return spec, [error("attributes", text, file=ROOT_FILE) for text in wrong.values()]

    def check(self, record: CommitRecord) -> Iterator[Finding]:
        """Compare the attributes with those that a record repeats."""
        for path, expected, found in differing(record.root or {}, self.attributes):
            if not self.told & {path, path.partition(".")[0]}:
                self.told.add(path)
                text = f"attribute {path} is {found!r}; the record of part {record.number} says {expected!r}"
                yield error("attributes", text, file=ROOT_FILE)
