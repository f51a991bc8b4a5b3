"""Which shard a driver processes: as asked for, or as the cluster says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mgmtool.errors import UsageError
from mgmtool.types import Shard

_FORM = re.compile(r"(\d*)/(\d+)")
_EXPECTED = "expected I/N with I from 0 to N - 1, for example 0/4; or /N, where the cluster says which one this is"


def choose_shard(text: str | None, environment: Mapping[str, str]) -> tuple[Shard, str | None]:
    """Read ``--shard``, or what Slurm or Kubernetes say of a task of an array.

    Parameters
    ----------
    text : str or None
        ``I/N``, or ``/N`` to take I from the environment; None to take both from there.
    environment : mapping
        Environment variables.

    Returns
    -------
    shard : Shard
        0/1 unless something says otherwise.
    origin : str or None
        The variables it was taken from; None if it was asked for in full, or there is only one.

    Raises
    ------
    UsageError
        The text has another form, or it is not known which shard this is, or of how many.
    """
    match = None if text is None else _FORM.fullmatch(text)
    if text is not None and match is None:
        raise UsageError(f"shard is {text!r}; {_EXPECTED}")
    if match is not None and match[1]:
        return _checked(int(match[1]), int(match[2]), f"shard is {text!r}"), None
    index, count, origin = cluster_task(environment)
    if match is not None:
        if index is None:
            raise UsageError(f"shard is {text!r}, but neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set")
        count = int(match[2])
    elif index is None:
        return Shard(), None
    elif count is None:
        raise UsageError(
            f"{origin} is {index}, but nothing says of how many; give --shard /N, or --shard 0/1 for all the work here"
        )
    return _checked(index, count, f"{origin} is {index}"), origin


def cluster_task(environment: Mapping[str, str]) -> tuple[int | None, int | None, str | None]:
    """Read which task of an array this is: index, count (None if unknown), and the variable that says so."""
    task = environment.get("SLURM_ARRAY_TASK_ID")
    if task is not None:
        first = _whole(environment, "SLURM_ARRAY_TASK_MIN", 0)
        step = max(_whole(environment, "SLURM_ARRAY_TASK_STEP", 1), 1)
        known = "SLURM_ARRAY_TASK_COUNT" in environment
        count = _whole(environment, "SLURM_ARRAY_TASK_COUNT", 1) if known else None
        return (_whole(environment, "SLURM_ARRAY_TASK_ID", 0) - first) // step, count, "SLURM_ARRAY_TASK_ID"
    if "JOB_COMPLETION_INDEX" in environment:
        return _whole(environment, "JOB_COMPLETION_INDEX", 0), None, "JOB_COMPLETION_INDEX"
    return None, None, None


def _whole(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdecimal():
        raise UsageError(f"{name} is {text!r}; expected a whole number; or give --shard I/N")
    return int(text)


def _checked(index: int, count: int, what: str) -> Shard:
    if count < 1 or index >= count:
        raise UsageError(f"{what} of {count}; {_EXPECTED}")
    return Shard(index, count)
