"""``mgmtool completion``."""

from __future__ import annotations

import click


@click.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that has a shell complete commands, options, names, stores and ids.

    bash: eval "$(mgmtool completion bash)" in ~/.bashrc

    zsh: eval "$(mgmtool completion zsh)" in ~/.zshrc, behind compinit

    fish: mgmtool completion fish | source in ~/.config/fish/config.fish
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    made = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}[shell]
    click.echo(made(ctx.find_root().command, {}, "mgmtool", "_MGMTOOL_COMPLETE").source())
