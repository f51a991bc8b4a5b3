"""Defaults from a TOML file: one table per command, keys named like the long flags."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click

from mgmtool.errors import did_you_mean


def load_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Read the file given with ``--config`` into the defaults of the commands; click callback.

    Raises
    ------
    click.BadParameter
        The file cannot be read, or names a command or an option there is none of.
    """
    if path is None:
        return
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{path}: {error}") from None
    ctx.default_map = {name: _defaults(ctx, path, name, table) for name, table in tables.items()}


def _defaults(ctx: click.Context, path: Path, name: str, table: Any) -> dict[str, Any]:
    """Check one table and name its keys as click does."""
    group: Any = ctx.command
    command = group.get_command(ctx, name)
    if command is None or not isinstance(table, dict):
        known = ", ".join(f"[{known}]" for known in group.list_commands(ctx))
        hint = did_you_mean(name, group.list_commands(ctx))
        raise click.BadParameter(f"{path}: {name!r} is not a table of a command{hint}; expected one of: {known}")
    parameters = {flag: p.name for p in command.params if isinstance(p, click.Option) for flag in _flags(p)}
    values = {}
    for key, value in table.items():
        flag = key.replace("_", "-")
        if flag not in parameters:
            hint = did_you_mean(flag, parameters)
            raise click.BadParameter(f"{path}: [{name}] has no option {key!r}{hint}; see mgmtool {name} --help")
        values[parameters[flag]] = value
    return values


def _flags(option: click.Option) -> list[str]:
    """Long flags of an option without their dashes, and its name in Python."""
    return [flag[2:] for flag in option.opts if flag.startswith("--")] + [str(option.name).replace("_", "-")]
