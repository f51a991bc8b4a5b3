"""Which libraries are installed, and which features lack theirs."""

from __future__ import annotations

import importlib
import platform
import re
from collections.abc import Iterator
from importlib import metadata

import mgmtool
from mgmtool.doctor._check import Check

FEATURES = {
    "flow": "--source flow, optical flow",
    "grain": "mgmtool.training.grain, samples for Grain",
    "plot": "evaluate --plot",
    "ray": "--engine ray, a cluster",
    "remote": "videos and stores behind URLs",
    "s3": "s3:// URLs",
    "torch": "mgmtool.training.torch, datasets for PyTorch",
}
"""What each extra is for. Those of developers are not among them."""

_MODULES = {"pillow": "PIL"}
_REQUIREMENT = re.compile(
    r"""(?P<name>[\w.-]+)(?:\[(?P<extras>[^]]*)\])?[^;]*(?:;.*extra\s*==\s*["'](?P<extra>[\w-]+)["'])?"""
)


def versions() -> Iterator[Check]:
    """Import every library that is needed: one that is installed may still not load."""
    yield Check("versions", "python", platform.python_version(), note=platform.platform())
    yield Check("versions", "mgmtool", mgmtool.__version__)
    for name in sorted(requirements()[""]):
        try:
            importlib.import_module(_MODULES.get(name, name))
            yield Check("versions", name, metadata.version(name))
        except Exception as error:  # noqa: BLE001  whatever a broken library raises
            note = f"{' '.join(str(error).split())}; pip install --force-reinstall {name}"
            yield Check("versions", name, None, "broken", note)
    from mgmtool.video.container import library_versions

    yield Check("versions", "libavcodec", library_versions()["libavcodec"], note="of the FFmpeg inside PyAV")


def extras() -> Iterator[Check]:
    """Say which extras are installed, and what the others would bring."""
    needed = requirements()
    for extra, feature in FEATURES.items():
        found = {name: _version(name) for name in sorted(needed.get(extra, ()))}
        missing = [name for name, version in found.items() if version is None]
        if missing:
            value = f"without {', '.join(missing)}"
            yield Check("extras", extra, value, "missing", f"{feature}: pip install 'mgmtool[{extra}]'")
        else:
            yield Check(
                "extras", extra, ", ".join(f"{name} {version}" for name, version in found.items()), note=feature
            )


def requirements() -> dict[str, set[str]]:
    """Return the libraries each extra asks for, and under ``""`` those that are always needed.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        mgmtool is not installed.
    """
    found: dict[str, set[str]] = {"": set()}
    also: dict[str, str] = {}
    for line in metadata.requires("mgmtool") or []:
        match = _REQUIREMENT.match(line)
        if match is None:
            continue
        extra, name = match["extra"] or "", match["name"].lower()
        if name == "mgmtool":  # an extra that holds another one
            also[extra] = match["extras"]
        else:
            found.setdefault(extra, set()).add(name)
    for extra, other in also.items():
        found.setdefault(extra, set()).update(*(found.get(name.strip(), set()) for name in other.split(",")))
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
