"""A small package of other people's plug-ins, made in a folder without pip."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SCHEME = '''
"""The lower part of every frame."""

from dataclasses import dataclass

import numpy as np

from mgmtool.masking.base import Motionless, boxless


@dataclass(frozen=True)
class LowerPart(Motionless):
    """The lower part of every frame, token by token from the bottom right.

    Attributes
    ----------
    upside_down : bool
        Hide the upper part instead.
    """

    upside_down: bool = False

    def place(self, request):
        hidden = np.arange(request.layout.rows * request.layout.cols) < request.layout.masked
        frame = (hidden if self.upside_down else hidden[::-1]).reshape(1, request.layout.rows, request.layout.cols)
        return boxless(frame.repeat(len(request.energy), axis=0))
'''


def install(folder: Path, entry_points: str, name: str = "my-masks", modules: Mapping[str, str] | None = None) -> Path:
    """Write a package and its metadata, as pip would."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    for module, text in (modules or {"my_masks": SCHEME}).items():
        (folder / f"{module}.py").write_text(text)
    return folder


def run(folder: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """Run Python where the package is installed."""
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, paths))}
    return subprocess.run(
        [sys.executable, *map(str, command)], env=environment, capture_output=True, text=True, check=False, cwd=folder
    )
