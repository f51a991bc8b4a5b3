"""``mgmtool evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mgmtool.cli import _completion, options


@click.command(name="evaluate")
@click.argument("groundtruth", nargs=-1, required=True, metavar="GROUNDTRUTH...", shell_complete=_completion.files)
@click.option(
    "--scheme",
    multiple=True,
    metavar="NAME[:KEY=VALUE,...]",
    shell_complete=_completion.plugin_names("mgmtool.masking"),
    help="Mask scheme to compare; may be repeated.  [default: motion-guided, what it is without each kind of evidence, "
    "motion-literal, simulated-motion, tube]",
)
@click.option(
    "--source",
    multiple=True,
    default=["auto"],
    show_default=True,
    metavar="NAME[:KEY=VALUE,...]",
    shell_complete=_completion.plugin_names("mgmtool.sources"),
    help="Motion source; may be repeated: schemes that look at motion are compared on each.",
)
@click.option(
    "--box",
    type=options.GridType(),
    multiple=True,
    default=["7x7"],
    show_default=True,
    help="Size of the box in tokens; may be repeated.",
)
@click.option("--grid", type=options.GridType(), default="14x14", show_default=True, help="Tokens over the crop.")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="How often clips are drawn.")
@click.option("--clips", type=click.IntRange(1), default=20, show_default=True, help="Clips per sequence and seed.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw recall per sequence: .png, .svg or .pdf.")
@options.json_output
@click.option("-v", "--verbose", is_flag=True, help="Every sequence by itself, too.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Compare masks with ground truth: how much of the moving object a scheme hides, in the crops a training loader makes.

    GROUNDTRUTH is a folder of sequences, at any depth: each a film (video.*) with masks/*.png (not 0 = object), gt/gt.txt (MOT
    boxes) or a *.json file (COCO boxes). Random tokens, the centre box and the best box there is (oracle) are always compared.

    Exit codes: 0 every sequence counts, 1 none does, 2 wrong usage, 3 some sequences could not be used.
    """
    from mgmtool.cli._evaluate import Request, run

    ctx.exit(run(Request(**given)))
