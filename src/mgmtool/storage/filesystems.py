"""From a URL to a file system of fsspec."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from mgmtool.errors import UsageError, one_line
from mgmtool.storage.names import public, redacted


def check(url: str) -> None:
    """Refuse a URL without fsspec, or of a kind that fsspec does not know or has no library for. Nothing is opened.

    Raises
    ------
    UsageError
    """
    need("fsspec", url)
    import fsspec

    for link in url.split("::"):
        try:
            fsspec.get_filesystem_class(link.partition("://")[0])
        except ImportError as error:
            extra = "s3" if link.startswith(("s3:", "s3a:")) else "remote"
            raise UsageError(
                f"{public(url)} cannot be opened: {one_line(str(error))}; pip install 'mgmtool[{extra}]'"
            ) from None
        except ValueError as error:
            raise UsageError(f"{public(url)} cannot be opened: {redacted(one_line(str(error)))}") from None


def need(library: str, url: str) -> None:
    """Refuse a URL where a library is missing that every URL needs."""
    if importlib.util.find_spec(library) is None:
        raise UsageError(f"{public(url)}: URLs need {library}, which is not installed; pip install 'mgmtool[remote]'")


def filesystem(url: str, options: Mapping[str, Any] | None = None) -> tuple[Any, str]:
    """Return the file system of a URL, and its path there. Nothing is connected yet.

    Parameters
    ----------
    url : str
        ``s3://``, ``gs://``, ``https://``, ``memory://`` and kin.
    options : mapping, optional
        Goes to fsspec before what the environment says.

    Raises
    ------
    UsageError
        See :func:`check`.
    """
    check(url)
    import fsspec

    system, path = fsspec.core.url_to_fs(url, **(options or {}))
    return system, str(path)
