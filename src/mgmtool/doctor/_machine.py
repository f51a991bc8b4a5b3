"""Codecs, CPUs and memory."""

from __future__ import annotations

from collections.abc import Iterator

from mgmtool.doctor._check import Check


def codecs() -> Iterator[Check]:
    """Say which codecs give motion vectors here, each tried on a film of four pictures in memory."""
    from mgmtool.video.reencode import has_encoder
    from mgmtool.video.trial import codec_trials

    can = has_encoder()
    for codec, found in codec_trials():
        yield _codec(codec, found, can)
    if can:
        yield Check("codecs", "x264 encoder", "there", note="for motion of codecs without vectors, and for mp4 films")
    else:
        note = "--source auto fails on codecs without vectors; pip install --force-reinstall av"
        yield Check("codecs", "x264 encoder", None, "missing", note)


def _codec(codec: str, found: str, reencoded: bool) -> Check:
    if found == "vectors":
        return Check("codecs", codec, "motion vectors")
    if found == "untried":
        return Check(
            "codecs", codec, "decoded", note="no encoder here to try it with; its decoder is known to export vectors"
        )
    if found == "decodes":
        what = "decoded, re-encoded for motion" if reencoded else "decoded, no motion"
        return Check("codecs", codec, what, "ok" if reencoded else "missing")
    if found in {"missing", "none"}:
        note = "pip install --force-reinstall av" if codec == "h264" else ""
        words = "no decoder" if found == "missing" else "no motion vectors"
        return Check("codecs", codec, words, "broken" if codec == "h264" else "missing", note)
    return Check("codecs", codec, None, "broken", found)


def machine() -> Iterator[Check]:
    """Say what of the machine a run may use."""
    from mgmtool.engines import limits

    own = limits()
    yield Check("machine", "cpus", own.cpus)
    yield Check("machine", "allowed cpus", own.allowed_cpus, note="those this process may run on")
    yield Check("machine", "cgroup cpus", _or_none(own.cpu_quota), note="of a container or batch job")
    yield Check("machine", "workers", own.workers, note="--workers auto")
    yield Check("machine", "memory", size(own.memory), note=f"{size(own.free_memory)} free")
    yield Check("machine", "cgroup memory", "no limit" if own.memory_limit is None else size(own.memory_limit))
    yield Check("machine", "worker memory", size(own.worker_memory), note="--worker-memory auto")


def _or_none(number: float | None) -> str | float:
    return "no limit" if number is None else number


def size(number: int) -> str:
    """Write bytes for people: ``12.3 GB``, ``412 MB``."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"
