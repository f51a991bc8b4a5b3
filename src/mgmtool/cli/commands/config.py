"""``mgmtool config``."""

from __future__ import annotations

import click

from mgmtool.cli.records import as_command, option, record


@record("output")
class Wanted:
    """What is printed."""

    example: bool = option(
        "--example", is_flag=True, required=True, help="Print a file with every option of every command."
    )


@as_command
def command(wanted: Wanted) -> None:  # noqa: ARG001  the only thing there is to ask for
    """Help with the file that --config reads.

    mgmtool config --example > mgmtool.toml writes one in which every line is a comment: remove the # to change a default.
    """
    from mgmtool.cli.config import example_config

    click.echo(example_config(click.get_current_context().find_root()), nl=False)
