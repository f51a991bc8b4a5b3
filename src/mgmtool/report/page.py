"""The page: one self-contained HTML file, with every text escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import mgmtool
from mgmtool.errors import one_line
from mgmtool.report import content, tables
from mgmtool.report.facts import Facts
from mgmtool.report.gallery import Preview
from mgmtool.store import Scan

_ASSETS = Path(__file__).parent / "assets"
_RUNS = 50
"""Most runs that are listed."""


def render(scan: Scan, facts: Facts, gallery: Sequence[Preview], store_bytes: int, title: str | None) -> str:
    """Return the page.

    Parameters
    ----------
    scan : Scan
        The store.
    facts : Facts
        Its statistics.
    gallery : sequence of Preview
        Its samples.
    store_bytes : int
        Size of its arrays.
    title : str, optional
        By default the name of the store.
    """
    style, script = (Markup((_ASSETS / name).read_text("utf-8")) for name in ("report.css", "report.js"))  # noqa: S704
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=visible_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = Markup  # of charts, which escape their labels
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    environment.filters |= {"sample_words": content.sample_words, "short": tables.shortened}
    return environment.get_template("report.html.j2").render(
        title=title or Path(scan.name).name,
        store=scan.name,
        version=mgmtool.__version__,
        style=style,
        script=script,
        policy=security_policy(style, script),
        cards=content.cards(facts, store_bytes),
        gallery=gallery,
        facts=facts,
        motion_charts=content.motion_charts(facts),
        box_charts=content.box_charts(facts),
        frame_charts=content.frame_charts(facts),
        flags=content.flags(facts),
        codecs=content.codecs(facts),
        failures=content.failures(facts),
        messages=content.messages(facts),
        failed=content.failed_videos(facts, scan.name),
        slowest=content.slowest(facts, scan.name),
        risks=content.risks(facts),
        risky=content.risky_videos(facts, scan.name),
        settings=content.settings(scan.attributes),
        runs=content.runs(*scan.runs(_RUNS)),
    )


def visible_text(value: Any) -> Any:
    """Make control characters, lone surrogates and marks that reverse text visible; anything but plain text is left alone."""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def security_policy(style: str, script: str) -> str:
    """Return a Content-Security-Policy that allows the page its own images, style and script, and nothing else."""
    allowed = []
    for kind, text in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        allowed.append(f"{kind} 'sha256-{digest}'")
    return "; ".join(["default-src 'none'", "img-src data:", *allowed, "base-uri 'none'", "form-action 'none'"])
