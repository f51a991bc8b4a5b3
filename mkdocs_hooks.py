"""Pages of the site that lie outside docs/, and links that are right on a disk and on the site alike."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parent
OUTSIDE = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "README.md": "index.md"}
_ROLE = re.compile(r":(?:func|class|meth|mod|attr|data):<code>~?")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def on_files(files: Any, *, config: Any) -> Any:
    """Add the pages of the root folder."""
    for name, page in OUTSIDE.items():
        if files.get_file_from_path(page) is None:
            files.append(File.generated(config, page, content=_inward((ROOT / name).read_text("utf-8"))))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turn links to the root folder into links of the site; what is no page of it, such as source, stays as text."""
    return _LINK.sub(_site_link, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Drop what docstrings say to Sphinx alone."""
    return _ROLE.sub("<code>", html)


def _inward(markdown: str) -> str:
    return markdown.replace("](docs/", "](")


def _site_link(link: re.Match[str]) -> str:
    text, target = link.groups()
    path, mark, anchor = target.partition("#")
    name = path.removeprefix("../")
    if name in OUTSIDE:
        return f"[{text}]({OUTSIDE[name]}{mark}{anchor})"
    return text if path.startswith("../") or name == "LICENSE" else link[0]
