"""``mgmtool sources``."""

from __future__ import annotations

import click

from mgmtool.cli import options


@click.command(name="sources")
@options.json_output
def command(as_json: bool) -> None:
    """List the motion sources, one line each."""
    from mgmtool import plugins
    from mgmtool.cli._tables import print_plugins

    print_plugins(plugins.SOURCES, as_json)
