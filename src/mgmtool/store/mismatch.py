"""What two specifications differ in, and how to ask for what a store was made with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

_PLUGINS = ("scheme_options", "source_options")
_IN_PYTHON = {"part_bytes", "max_streams"}
_MISSING = "nothing"


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say of every option in which two specs differ what it was, what it is now, and which flag gives what it was.

    Parameters
    ----------
    before, now : mapping
        Specs as :meth:`mgmtool.types.ExtractSpec.to_json` writes them. Options that ``now`` does not know are left out.

    Returns
    -------
    list of str
        ``ratio=0.75, this run asks for 0.5 (--ratio 0.75)``, in the order of the options.
    """
    found = []
    for option, value in now.items():
        was = before.get(option)
        if was == value:
            continue
        if isinstance(was, Mapping) and isinstance(value, Mapping) and option not in _PLUGINS:
            found += [
                _words(key, was.get(key), value[key], _flag(key, was.get(key)))
                for key in value
                if was.get(key) != value[key]
            ]
        elif option in _PLUGINS:
            found.append(_words(option, was, value, _plugin_flags(option, was or {}, value)))
        else:
            found.append(_words(option, was, value, _flag(option, was)))
    return found


def _words(option: str, was: object, value: object, flag: str) -> str:
    return f"{option}={was!r}, this run asks for {value!r} ({flag})"


def _flag(option: str, value: object) -> str:
    name = option.replace("_", "-")
    if option in _IN_PYTHON:
        return f"{option}={value!r} in Python"
    if value is True:
        return f"--{name}"
    if value is False:
        return "--no-energy" if option == "energy" else f"without --{name}"
    return f"without --{name}" if value is None else f"--{name} {shlex.quote(str(value))}"


def _plugin_flags(option: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Name the flags that give the options of a scheme or a source, and those to leave out."""
    flag = f"--{option.removesuffix('s').replace('_', '-')}"
    give = [f"{flag} {shlex.quote(f'{key}={value}')}" for key, value in was.items() if now.get(key, _MISSING) != value]
    leave = [f"without {flag} {shlex.quote(key)}" for key in now if key not in was]
    return ", ".join([*give, *leave])
