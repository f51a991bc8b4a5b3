"""A commented file for ``--config``, made from the options that the commands have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from textwrap import wrap
from typing import Any

import click

_HEAD = """\
# Defaults of mgmtool's options: mgmtool --config FILE COMMAND, or MGMTOOL_CONFIG=FILE.
# A flag wins over an MGMTOOL_* variable, a variable over this file.
# Every option is shown with its default, or with an example where it has none.
"""
_COLUMNS = 110
_DEFAULT = re.compile(r"\[default: (?P<value>\d+|auto)\]")
_EXAMPLES: dict[str, str | int] = {
    "compare": "motion-guided,tube",
    "engine-option": "recycle=500",
    "evaluate.scheme": "motion-guided",
    "export.output": "shards",
    "failure": "timeout",
    "format-option": "compress=true",
    "fps": 25,
    "frames": 12,
    "id": "a/b.mp4",
    "limit": 100,
    "list.output": "videos.csv",
    "log-file": "extract.log",
    "manifest": "train.csv",
    "max-side": 640,
    "output": "masks.zarr",
    "path-column": "path",
    "plot": "recall.png",
    "ray-address": "auto",
    "report.output": "report.html",
    "root": ".",
    "scheme-option": "pool=3",
    "scratch": ".",
    "shard": "0/4",
    "source-option": "short_side=320",
    "store": "masks.zarr",
    "to": "npz",
    "visualize.output": "masks.png",
}
"""Of options that have no default, by their flag, and by their command where one flag means two things."""


def example_config(ctx: click.Context) -> str:
    """Return the file, in which every line is a comment, empty, or the head of a table.

    Parameters
    ----------
    ctx : Context
        That of the group of commands.
    """
    group: Any = ctx.command
    text = [_HEAD]
    for name in group.list_commands(ctx):
        lines = list(_lines(group.get_command(ctx, name)))
        if lines:
            text.append("\n".join([f"\n[{name}]", *lines, ""]))
    return "".join(text)


def _lines(command: click.Command) -> Iterator[str]:
    """Yield, for each option, what it means and how it is written."""
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden and not (option.required and option.is_flag):
            yield from (f"# {line}" for line in wrap(str(option.help), _COLUMNS))
            yield f"#{_key(option)} = {_toml(_value(str(command.name), option))}"


def _key(option: click.Option) -> str:
    """Return the long flag without its dashes, or the name in Python where there is none."""
    return next((flag[2:] for flag in option.opts if flag.startswith("--")), str(option.name))


def _value(command: str, option: click.Option) -> Any:
    """Return the default, or an example where there is none."""
    default = option.to_info_dict()["default"]
    if isinstance(default, bool | int | float | str):
        return default
    if option.multiple:
        return default or [_example(command, option)]
    return _example(command, option)


def _example(command: str, option: click.Option) -> Any:
    """Return the default that the help names, else what the table has, else something of the type."""
    key, kind, told = _key(option), option.type, _DEFAULT.search(str(option.help))
    if told:
        return int(told["value"]) if told["value"].isdecimal() else told["value"]
    for name in (f"{command}.{key}", key):
        if name in _EXAMPLES:
            return _EXAMPLES[name]
    if isinstance(kind, click.Choice):
        return kind.choices[0]
    if isinstance(kind, click.IntRange | click.FloatRange):
        return max(kind.min or 0, 1)
    return 1 if kind in {click.INT, click.FLOAT} else option.metavar or key


def _toml(value: Any) -> str:
    """Write a value as TOML, which agrees with JSON in all that options are."""
    return json.dumps(value, ensure_ascii=False)
