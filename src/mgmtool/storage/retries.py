"""Trying again what may pass: networks and overloaded servers, but not what is absent or forbidden."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, TypeVar

from mgmtool.errors import MgmtoolError, one_line
from mgmtool.storage.filesystems import need
from mgmtool.storage.names import public, redacted

Result = TypeVar("Result")

TRIES = 5
FIRST_WAIT, LONGEST_WAIT, JITTER = 0.5, 20.0, 1.0
"""Seconds before the second try, most before any, and what chance adds: many workers must not come back at the same moment."""

_FINAL = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
_FINAL_NUMBERS = {
    *(errno.EINVAL, errno.EPERM, errno.ENOSYS, errno.EMSGSIZE, errno.ENOTEMPTY, errno.ENAMETOOLONG),
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EMFILE),
}
_BUSY = {408, 425, 429}
_BROKEN_LINES = {"HTTPClientError", "ConnectionError", "ClientConnectionError", "ClientPayloadError"}
"""Names of classes of botocore and aiohttp; neither is imported, as other file systems need neither."""

_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"}


def attempt(url: str, action: Callable[..., Result], *given: Any, **named: Any) -> Result:
    """Do something with a remote place, up to five times with growing pauses where the error may pass.

    Parameters
    ----------
    url : str
        Named in the error, without what may be secret.
    action : callable
        Safe to repeat.
    *given, **named
        Its arguments.

    Raises
    ------
    FileNotFoundError, FileExistsError, PermissionError, OSError
        With one line that names the URL, and the tries if there were several. File systems raise exceptions of many kinds; these
        are all that come out of here.
    """
    need("tenacity", url)
    import tenacity

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(TRIES),
        wait=tenacity.wait_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT) + tenacity.wait_random(0, JITTER),
        retry=tenacity.retry_if_exception(may_pass),
        reraise=True,
    )
    try:
        return retrying(action, *given, **named)
    except (MgmtoolError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  each file system raises exceptions of its own kind
        tries = retrying.statistics["attempt_number"]
        told = _kind(error)(f"{public(url)}: {_words(error)}" + (f" ({tries} tries)" if tries > 1 else ""))
    raise told from None  # what is behind it may have secrets of the URL in its text


def may_pass(error: BaseException) -> bool:
    """Whether the same request may succeed a moment later."""
    if not isinstance(error, Exception) or isinstance(error, (*_FINAL, MgmtoolError)):
        return False
    status = _status(error)
    if status is not None:
        return status >= 500 or status in _BUSY
    if isinstance(error, OSError):
        return error.errno not in _FINAL_NUMBERS
    return bool(_BROKEN_LINES & _classes(error))


def _status(error: Exception) -> int | None:
    """HTTP status, under the names that libraries give it."""
    values = (getattr(error, name, None) for name in ("status", "status_code", "code"))
    return next((value for value in values if isinstance(value, int) and 100 <= value < 600), None)


def _classes(error: Exception) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _kind(error: Exception) -> type[OSError]:
    if _NO_CREDENTIALS & _classes(error) or _status(error) in {401, 403}:
        return PermissionError
    if _status(error) in {404, 410}:
        return FileNotFoundError
    return next((kind for kind in _FINAL if isinstance(error, kind)), OSError)


def _words(error: Exception) -> str:
    if _NO_CREDENTIALS & _classes(error):
        return "no credentials found in the environment"
    said = redacted(one_line(str(getattr(error, "strerror", None) or error)))
    if isinstance(error, FileNotFoundError) and " " not in said:  # nothing but its name
        return "no such object"
    return said or type(error).__name__
