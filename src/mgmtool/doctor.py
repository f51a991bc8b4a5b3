"""Check whether mgmtool can work on this machine: libraries, codecs, CPUs, memory, disks."""

from __future__ import annotations

import importlib
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Literal

import mgmtool
from mgmtool.errors import one_line

# Whatever a check is about is imported inside it: a library that does not load is a result, not an end.

FEATURES = {
    "flow": "--source flow, optical flow",
    "grain": "mgmtool.training.grain, samples for Grain",
    "plot": "evaluate --plot",
    "ray": "--engine ray, a cluster",
    "remote": "videos and stores behind URLs",
    "s3": "s3:// URLs",
    "torch": "mgmtool.training.torch, datasets for PyTorch",
}
"""What each extra is for; extras for developers are left out."""

_MODULES = {"pillow": "PIL"}
_REQUIREMENT = re.compile(
    r"""(?P<name>[\w.-]+)(?:\[(?P<extras>[^]]*)\])?[^;]*(?:;.*extra\s*==\s*["'](?P<extra>[\w-]+)["'])?"""
)


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check.

    Attributes
    ----------
    group, name : str
        What was checked.
    value : str, int, float or None
        What was found; None is nothing.
    state : str
        ``ok``; ``missing``: a feature is unavailable, everything else works; ``broken``: something that every run needs.
    note : str
        What it means, or what to do.
    """

    group: str
    name: str
    value: str | int | float | None
    state: Literal["ok", "missing", "broken"] = "ok"
    note: str = ""


def checks(path: Path | None = None) -> Iterator[Check]:
    """Check everything, in about a second; an error in a check becomes its result.

    Parameters
    ----------
    path : Path, optional
        Folder for a mask store. By default the current folder is checked, and if it is not writable, that counts as missing
        rather than broken.

    Yields
    ------
    Check
        Group by group.
    """
    groups: dict[str, tuple[Callable[[], Iterator[Check]], ...]] = {
        "versions": (versions,),
        "codecs": (codecs,),
        "machine": (machine,),
        "places": (partial(output_folder, path), temporary_folder, kernel_cache),
        "extras": (extras,),
    }
    for group, members in groups.items():
        for check in members:
            try:
                yield from check()
            except Exception as error:  # noqa: BLE001  a half-installed library fails in its own way
                yield Check(group, "check", None, "broken", one_line(f"{type(error).__name__}: {error}"))


def versions() -> Iterator[Check]:
    """Import every required library: one that is installed may still not load."""
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


def codecs() -> Iterator[Check]:
    """Report which codecs give motion vectors here; each is tried on a video of four frames in memory."""
    from mgmtool.video.reencode import has_encoder
    from mgmtool.video.trial import codec_trials

    can_encode = has_encoder()
    for codec, found in codec_trials():
        yield codec_check(codec, found, can_encode)
    if can_encode:
        note = "for motion of codecs without vectors, and for mp4 output"
        yield Check("codecs", "x264 encoder", "available", note=note)
    else:
        note = "--source auto fails on codecs without vectors; pip install --force-reinstall av"
        yield Check("codecs", "x264 encoder", None, "missing", note)


def codec_check(codec: str, found: str, reencoded: bool) -> Check:
    """Interpret the trial of a codec.

    Parameters
    ----------
    codec : str
        Its name.
    found : str
        As :func:`mgmtool.video.trial.codec_trials` returns it: ``vectors``, ``untried``, ``decodes``, ``missing``, ``none``, or
        an error message.
    reencoded : bool
        Whether videos without vectors can be re-encoded for motion.
    """
    if found == "vectors":
        return Check("codecs", codec, "motion vectors")
    if found == "untried":
        note = "no encoder here to try it with; its decoder is known to export vectors"
        return Check("codecs", codec, "decoded", note=note)
    if found == "decodes":
        value = "decoded, re-encoded for motion" if reencoded else "decoded, no motion"
        return Check("codecs", codec, value, "ok" if reencoded else "missing")
    if found in {"missing", "none"}:
        note = "pip install --force-reinstall av" if codec == "h264" else ""
        value = "no decoder" if found == "missing" else "no motion vectors"
        return Check("codecs", codec, value, "broken" if codec == "h264" else "missing", note)
    return Check("codecs", codec, None, "broken", found)


def machine() -> Iterator[Check]:
    """Report the CPUs and the memory that a run may use."""
    from mgmtool.engines import limits

    own = limits()
    quota = "no limit" if own.cpu_quota is None else own.cpu_quota
    yield Check("machine", "cpus", own.cpus)
    yield Check("machine", "allowed cpus", own.allowed_cpus, note="those this process may run on")
    yield Check("machine", "cgroup cpus", quota, note="of a container or batch job")
    yield Check("machine", "workers", own.workers, note="--workers auto")
    yield Check("machine", "memory", byte_size(own.memory), note=f"{byte_size(own.free_memory)} free")
    yield Check("machine", "cgroup memory", "no limit" if own.memory_limit is None else byte_size(own.memory_limit))
    yield Check("machine", "worker memory", byte_size(own.worker_memory), note="--worker-memory auto")


def output_folder(path: Path | None) -> Iterator[Check]:
    """Check the folder for a mask store by creating, locking and removing a file in it."""
    from mgmtool.files import can_lock

    folder = Path.cwd() if path is None else path.absolute()
    try:
        with tempfile.TemporaryDirectory(prefix=".mgmtool-doctor-", dir=folder) as inside:
            locks = can_lock(Path(inside))
        yield space_check("output", folder)
    except OSError as error:
        state: Literal["missing", "broken"] = "missing" if path is None else "broken"
        yield Check("places", "output", str(folder), state, f"cannot be written: {error.strerror or error}")
        return
    if locks:
        yield Check("places", "locks", "work", note="several drivers may write one store there")
    else:
        note = "no locks on this file system; give each driver its own --shard"
        yield Check("places", "locks", None, "missing", note)


def temporary_folder() -> Iterator[Check]:
    """Check the folder for temporary files."""
    try:
        with tempfile.TemporaryFile():
            yield space_check("temporary", Path(tempfile.gettempdir()))
    except OSError as error:
        yield Check("places", "temporary", None, "broken", f"set TMPDIR to a writable folder: {error}")


def space_check(name: str, folder: Path) -> Check:
    """Report the free space of a folder; less than 1 GB counts as missing."""
    free = shutil.disk_usage(folder).free
    if free < 1e9:
        return Check("places", name, f"{byte_size(free)} free", "missing", f"{folder}: little space")
    return Check("places", name, f"{byte_size(free)} free", note=str(folder))


def kernel_cache() -> Iterator[Check]:
    """Report whether compiled kernels can be kept, and how many there are."""
    from mgmtool.kernels import cache_problem
    from mgmtool.kernels.field import motion_field

    stats = getattr(motion_field, "stats", None)
    if stats is None:
        yield Check("places", "kernels", "not compiled", "missing", "NUMBA_DISABLE_JIT is set: everything is very slow")
        return
    problem = cache_problem()
    if stats.cache_path is None:
        yield Check("places", "kernels", "not kept", "missing", problem or "")
        return
    folder = Path(stats.cache_path)
    kept = len(list(folder.glob(f"*.py{sys.version_info[0]}{sys.version_info[1]}.nbi")))
    value = f"{kept} compiled" if kept else "none compiled yet"
    if problem is not None:
        yield Check("places", "kernels", value, "missing", problem)
    elif os.access(folder, os.W_OK):
        note = str(folder) if kept else f"the first run compiles them into {folder}"
        yield Check("places", "kernels", value, note=note)
    else:
        note = f"{folder} is not writable: every run compiles what is missing there; set NUMBA_CACHE_DIR"
        yield Check("places", "kernels", value, "missing", note)


def extras() -> Iterator[Check]:
    """Report which extras are installed, and what the others would add."""
    needed = requirements()
    for extra, feature in FEATURES.items():
        found = {name: installed_version(name) for name in sorted(needed.get(extra, ()))}
        missing = [name for name, version in found.items() if version is None]
        if missing:
            note = f"{feature}: pip install 'mgmtool[{extra}]'"
            yield Check("extras", extra, f"without {', '.join(missing)}", "missing", note)
        else:
            value = ", ".join(f"{name} {version}" for name, version in found.items())
            yield Check("extras", extra, value, note=feature)


def requirements() -> dict[str, set[str]]:
    """Return the libraries that each extra requires, and under ``""`` those that are always required.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        mgmtool is not installed.
    """
    found: dict[str, set[str]] = {"": set()}
    included: dict[str, str] = {}
    for line in metadata.requires("mgmtool") or []:
        match = _REQUIREMENT.match(line)
        if match is None:
            continue
        extra, name = match["extra"] or "", match["name"].lower()
        if name == "mgmtool":  # an extra that includes others
            included[extra] = match["extras"]
        else:
            found.setdefault(extra, set()).add(name)
    for extra, others in included.items():
        found.setdefault(extra, set()).update(*(found.get(name.strip(), set()) for name in others.split(",")))
    return found


def installed_version(name: str) -> str | None:
    """Return the version of an installed library, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def byte_size(number: int) -> str:
    """Write bytes for people: ``12.3 GB``, ``412 MB``."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"
