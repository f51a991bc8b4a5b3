"""A file in a family folder *is* a plug-in.

A family is a package (``mgmtool.masking``, ``mgmtool.sources``, ``mgmtool.engines``). Each module in it whose name has no
leading underscore offers one plug-in: a frozen dataclass bound to the module's ``PLUGIN``. The dataclass fields are its
options; the first line of its docstring is its one-line summary. Nothing is registered anywhere: to add a scheme, add a file.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import pkgutil
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from mgmtool.errors import UsageError, did_you_mean

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def names(family: str) -> list[str]:
    """List the plug-ins of a family, sorted; imports none of them, nor the family.

    Parameters
    ----------
    family : str
        Dotted package name, for example ``"mgmtool.masking"``.

    Returns
    -------
    list of str
        Names as users write them: ``motion_guided.py`` is ``"motion-guided"``.
    """
    package = importlib.util.find_spec(family)
    folders = None if package is None else package.submodule_search_locations
    if folders is None:
        raise ModuleNotFoundError(f"no package {family!r}", name=family)
    found = pkgutil.iter_modules(folders)
    return sorted(module.name.replace("_", "-") for module in found if module.name[0] != "_" and module.name != "base")


def load(family: str, name: str) -> type[Any]:
    """Return the class of one plug-in.

    Raises
    ------
    UsageError
        The family has no plug-in of that name; the message lists those it has.
    """
    known = names(family)
    if name not in known:
        kind = family.rsplit(".", 1)[-1]
        word = _SINGULAR.get(kind, kind)
        raise UsageError(f"unknown {word} {name!r}{did_you_mean(name, known)}; expected one of: {', '.join(known)}")
    plugin: type[Any] = importlib.import_module(f"{family}.{name.replace('-', '_')}").PLUGIN
    return plugin


def build(family: str, name: str, options: Mapping[str, Any] | None = None) -> Any:
    """Make one plug-in with its options.

    Parameters
    ----------
    family, name : str
        See :func:`load`.
    options : mapping, optional
        Field name to value; text is converted to the type of the field.

    Raises
    ------
    UsageError
        Unknown plug-in, unknown option, or a value that does not fit the option's type or range.
    """
    plugin = load(family, name)
    known = {field.name for field in dataclasses.fields(plugin)}
    hints = typing.get_type_hints(plugin)
    values = {}
    for key, value in (options or {}).items():
        field = key.replace("-", "_")
        if field not in known:
            expected = ", ".join(sorted(known)) or "no options"
            raise UsageError(f"{name} has no option {key!r}{did_you_mean(field, sorted(known))}; it has: {expected}")
        values[field] = convert(value, hints[field], f"{name} option {field}")
    return plugin(**values)


def summary(family: str, name: str) -> str:
    """Return the first line of a plug-in's docstring."""
    return (load(family, name).__doc__ or "").strip().splitlines()[0]


def options(plugin: object) -> dict[str, Any]:
    """Return the options of a built plug-in as plain values, defaults included, ready for JSON."""
    return {field.name: getattr(plugin, field.name) for field in dataclasses.fields(plugin)}  # type: ignore[arg-type]


def convert(value: Any, hint: Any, what: str) -> Any:
    """Turn text into the annotated type of an option.

    Parameters
    ----------
    value : object
        Text from a command line, or a value that already has the right type.
    hint : type
        ``bool``, ``int``, ``float``, ``str``, or one of them ``| None``.
    what : str
        How an error names the option.

    Raises
    ------
    UsageError
        The text does not read as that type.
    """
    if isinstance(hint, types.UnionType):
        if value is None or (isinstance(value, str) and value in {"none", "auto"}):
            return None
        hint = next(arg for arg in typing.get_args(hint) if arg is not types.NoneType)
    try:
        return _READERS.get(hint, hint)(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{what} is {value!r}; expected {_KINDS.get(hint, hint)}") from None


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_SINGULAR = {"masking": "scheme", "sources": "source", "engines": "engine", "export": "format"}


def _boolean(value: Any) -> bool:
    text = str(value).lower()
    if text not in _TRUE | _FALSE:
        raise ValueError(text)
    return text in _TRUE


def _whole(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    return int(value)


_READERS: dict[Any, Callable[[Any], Any]] = {bool: _boolean, int: _whole}
