"""Defaults from a TOML file, one table per command and keys named like the long flags; and an example of one."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from textwrap import wrap
from typing import Any

import click

from mgmtool.errors import did_you_mean

_HEAD = """\
# Defaults of mgmtool's options: mgmtool --config FILE COMMAND, or MGMTOOL_CONFIG=FILE.
# A flag wins over an MGMTOOL_* variable, a variable over this file.
# Every option is shown with its default, or with an example if it has none.
"""
_COLUMNS = 110
_DEFAULT = re.compile(r"\[default: (?P<value>\d+|auto)\]")
_EXAMPLES: dict[str, str | int] = {
    "compare": "motion-guided,tube",
    "evaluate.scheme": "motion-guided",
    "export.output": "shards",
    "failure": "timeout",
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
    "engine-option": "recycle=500",
    "format-option": "compress=true",
    "scheme-option": "pool=3",
    "scratch": ".",
    "shard": "0/4",
    "source-option": "short_side=320",
    "store": "masks.zarr",
    "to": "npz",
    "visualize.output": "masks.png",
}
"""Values for options without a default, by flag, or by command and flag where one flag means two things."""


def load_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Read the file given with ``--config`` into the defaults of the commands; a click callback.

    Raises
    ------
    click.BadParameter
        The file cannot be read, or names a command or an option that does not exist.
    """
    if path is None:
        return
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{path}: {error}") from None
    ctx.default_map = {name: command_defaults(ctx, path, name, table) for name, table in tables.items()}


def command_defaults(ctx: click.Context, path: Path, name: str, table: Any) -> dict[str, Any]:
    """Check one table of the file and name its keys as click does.

    Raises
    ------
    click.BadParameter
        There is no such command, or it has no such option.
    """
    group: Any = ctx.command
    command = group.get_command(ctx, name)
    if command is None or not isinstance(table, dict):
        known = ", ".join(f"[{known}]" for known in group.list_commands(ctx))
        hint = did_you_mean(name, group.list_commands(ctx))
        raise click.BadParameter(f"{path}: {name!r} is not a table of a command{hint}; expected one of: {known}")
    parameters = {
        flag: option.name
        for option in command.params
        if isinstance(option, click.Option)
        for flag in (*_long_flags(option), str(option.name).replace("_", "-"))
    }
    values = {}
    for key, value in table.items():
        flag = key.replace("_", "-")
        if flag not in parameters:
            hint = did_you_mean(flag, parameters)
            raise click.BadParameter(f"{path}: [{name}] has no option {key!r}{hint}; see mgmtool {name} --help")
        values[parameters[flag]] = value
    return values


def example_config(ctx: click.Context) -> str:
    """Return a file with every option of every command; each line is a comment, empty, or the head of a table.

    Parameters
    ----------
    ctx : Context
        That of the group of commands.
    """
    group: Any = ctx.command
    text = [_HEAD]
    for name in group.list_commands(ctx):
        lines = []
        for option in group.get_command(ctx, name).params:
            if isinstance(option, click.Option) and not option.hidden and not (option.required and option.is_flag):
                key = next(iter(_long_flags(option)), str(option.name))
                # TOML agrees with JSON in all that options are.
                value = json.dumps(example_value(name, key, option), ensure_ascii=False)
                lines += [*(f"# {line}" for line in wrap(str(option.help), _COLUMNS)), f"#{key} = {value}"]
        if lines:
            text.append("\n".join([f"\n[{name}]", *lines, ""]))
    return "".join(text)


def _long_flags(option: click.Option) -> list[str]:
    """Long flags of an option without their dashes."""
    return [flag[2:] for flag in option.opts if flag.startswith("--")]


def example_value(command: str, key: str, option: click.Option) -> Any:
    """Return the default of an option or, if it has none, an example: as its help says, as listed, or by its type."""
    default, kind, told = option.to_info_dict()["default"], option.type, _DEFAULT.search(str(option.help))
    if isinstance(default, bool | int | float | str) or (option.multiple and default):
        return default
    example: Any = next((_EXAMPLES[name] for name in (f"{command}.{key}", key) if name in _EXAMPLES), None)
    if told:
        example = int(told["value"]) if told["value"].isdecimal() else told["value"]
    elif example is None and isinstance(kind, click.Choice):
        example = kind.choices[0]
    elif example is None and isinstance(kind, click.IntRange | click.FloatRange):
        example = max(kind.min or 0, 1)
    elif example is None:
        example = 1 if kind in {click.INT, click.FLOAT} else option.metavar or key
    return [example] if option.multiple else example
