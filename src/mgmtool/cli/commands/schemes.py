"""``mgmtool schemes``."""

from __future__ import annotations

import click

from mgmtool.cli import options


@click.command(name="schemes")
@options.json_output
def command(as_json: bool) -> None:
    """List the mask schemes, one line each."""
    from mgmtool import plugins
    from mgmtool.cli._tables import print_plugins

    print_plugins(plugins.SCHEMES, as_json)
