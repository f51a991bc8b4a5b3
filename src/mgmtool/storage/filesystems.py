"""From a URL to a file system of fsspec."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from mgmtool.errors import MgmtoolError, UsageError, one_line
from mgmtool.storage.names import protocols, public, redacted


def check(url: str) -> None:
    """Refuse a URL without fsspec, or of a kind that fsspec does not know or has no library for. Nothing is opened.

    Raises
    ------
    UsageError
    """
    need("fsspec", url)
    import fsspec

    for protocol in protocols(url):
        try:
            fsspec.get_filesystem_class(protocol)
        except ImportError as error:
            extra = "s3" if protocol in {"s3", "s3a"} else "remote"
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
    """Return the file system of a URL, and its path there.

    Parameters
    ----------
    url : str
        ``s3://``, ``gs://``, ``https://``, ``memory://`` and kin.
    options : mapping, optional
        Goes to fsspec before what the environment says.

    Raises
    ------
    UsageError
        See :func:`check`; or the URL lacks something that its kind needs.
    OSError
        A server that is connected to at once, as those of ``ftp://`` and ``sftp://`` are, cannot be reached.
    """
    check(url)
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(url, **(options or {}))
    except (MgmtoolError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  each file system raises exceptions of its own kind
        words = redacted(one_line(str(error))) or type(error).__name__
        kind = UsageError if isinstance(error, ValueError | TypeError | ImportError) else OSError
        told = kind(f"{public(url)}: {words}")
    else:
        return system, str(path)
    raise told from None  # what is behind it may have secrets of the URL in its text
