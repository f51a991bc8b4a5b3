"""Frozen records as plain values, and back: what JSON can hold, by the types that the records declare."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any

_NUMBERS: dict[type, tuple[type, ...]] = {float: (float, int), int: (int,), bool: (bool,), str: (str,)}


def plain(value: Any) -> Any:
    """Turn a record, with all that it holds, into dicts, lists, text and numbers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def built(kind: Any, value: Any) -> Any:
    """Make what :func:`plain` was given of what it returned.

    Parameters
    ----------
    kind : type
        A record, or what a field of one may be: a number, text, Fraction, a tuple or mapping of those, or any of these or None.
    value : object
        Plain values.

    Raises
    ------
    ValueError, TypeError, AttributeError
        They are not those of such a record.
    """
    arguments = typing.get_args(kind)
    origin = typing.get_origin(kind)
    if origin in {types.UnionType, typing.Union}:
        return None if value is None else built(next(one for one in arguments if one is not type(None)), value)
    if origin is tuple:
        return tuple(built(arguments[0], item) for item in value)
    if origin is not None:
        return {key: built(arguments[1], item) for key, item in value.items()}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: built(hints[name], item) for name, item in value.items() if name in hints})
    if kind is Fraction:
        return Fraction(value)
    if not isinstance(value, _NUMBERS[kind]) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)
