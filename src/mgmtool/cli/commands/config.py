"""``mgmtool config``."""

from __future__ import annotations

import click


@click.command(name="config")
@click.option("--example", is_flag=True, required=True, help="Print a file with every option of every command.")
@click.pass_context
def command(ctx: click.Context, example: bool) -> None:  # noqa: ARG001  the only thing there is to ask for
    """Help with the file that --config reads.

    mgmtool config --example > mgmtool.toml writes one in which every line is a comment: take away the # where an option shall
    have another default.
    """
    from mgmtool.cli._config_example import example_config

    click.echo(example_config(ctx.find_root()), nl=False)
