"""Names of files: which are URLs, what of a URL may be shown, where a name leads, and how one lies below another."""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_WEB = re.compile(r"https?://", re.IGNORECASE)
_SECRETS = re.compile(r"(?i)(https?://)(?:[^\s/?#'\"]*@)?([^\s?#'\"]*)(?:[?#][^\s'\"]*)?")
_PASSWORDS = re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^\s/'\":@]*:[^\s/'\"]*@")


def is_url(name: str) -> bool:
    """Whether a name is ``scheme://…``: kept as it is given, and never looked for on disk."""
    return "://" in name and _URL.match(name) is not None


def is_local(name: str) -> bool:
    """Whether a name is a path of this machine, which can be looked at, rather than a URL."""
    return not is_url(name)


def absolute(name: str, base: str = "") -> str:
    """Return a URL as it is, and any other name as an absolute path without ``.`` and ``..``.

    Parameters
    ----------
    name : str
        File name, path or URL.
    base : str
        Folder, or URL of one, below which a relative name lies; by default the working folder.
    """
    if is_url(name):
        return name
    if is_url(base) and not os.path.isabs(name):
        return join(base, name)
    return os.path.abspath(name if is_url(base) else os.path.join(base, name))  # any bytes the system has


def relative(path: str, root: str) -> str | None:
    """Return a path or URL relative to a folder; None where it is not below it. Web addresses lose what follows their ``?``.

    Parameters
    ----------
    path, root : str
        As :func:`absolute` gives them.
    """
    top, path = root if root.endswith("/") else f"{root}/", public(path)
    if path.startswith(top) and len(path) > len(top):
        return path[len(top) :]
    if is_url(path) or is_url(root):
        return None
    below = os.path.relpath(path, root)
    return None if below == os.pardir or below.startswith(os.pardir + os.sep) else below


def without_scheme(url: str) -> str:
    """Return what a URL names, less ``scheme://`` and whatever may be a secret."""
    return public(url).partition("://")[2]


def is_web(url: str) -> bool:
    """Whether a URL is ``http://`` or ``https://``, where what follows a ``?`` is no part of the name."""
    return _WEB.match(url) is not None


def public(url: str | os.PathLike[str]) -> str:
    """Return a URL without what may be a secret; any other name as it is.

    Of every URL that is a user with a password; of ``http://`` and ``https://`` a user without one, too, and the query, in which
    presigned URLs have their signature. The key of an object store is left as it is: a question mark there is a letter like any
    other, and so is an ``@`` in it or before the account of a storage container. Links of a chained URL are looked at one by one.
    """
    text = os.fspath(url)
    return "::".join(map(_public_link, text.split("::"))) if is_url(text) else text


def _public_link(link: str) -> str:
    scheme, there, rest = link.partition("://")
    if not there:
        return link
    if is_web(link):
        rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    authority, slash, path = rest.partition("/")
    user, _, host = authority.rpartition("@")
    return f"{scheme}://{host if ':' in user or is_web(link) else authority}{slash}{path}"


def protocols(url: str) -> list[str]:
    """Return the protocols that a URL needs, in lower case: one for each link of a chain, ``file`` for a path."""
    return [link.partition("://")[0].lower() if "://" in link else "file" for link in url.split("::")]


def redacted(text: str) -> str:
    """Do as :func:`public` for every URL in a text."""
    return _PASSWORDS.sub(r"\1", _SECRETS.sub(r"\1\2", text))


def join(url: str, name: str) -> str:
    """Return the URL of something below a folder."""
    return f"{url.rstrip('/')}/{name}"


def parent(url: str) -> str:
    """Return the URL of the folder in which an object lies."""
    folder, slash, _ = public(url).rstrip("/").rpartition("/")
    return folder if slash and not folder.endswith(":/") else public(url)


def storable(text: str) -> str:
    """Make any file name valid Unicode: bytes that are none become escapes such as ``udc80`` after a backslash."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def file_name(url: str) -> str:
    """Return a file name for a copy of an object: the end of its own name, as long as a file system takes it."""
    name = PurePosixPath(public(url).rstrip("/")).name.replace("\0", "_")
    return name.encode("utf-8", "surrogateescape")[-200:].decode("utf-8", "replace") or "object"
