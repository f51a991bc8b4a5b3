"""What the libraries and file systems below a store raise, as one line that names the store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pyarrow as pa

from mgmtool.errors import MgmtoolError, StoreError, StoreWriteError, one_line
from mgmtool.storage import redacted


@contextlib.contextmanager
def read_errors(name: str) -> Iterator[None]:
    """Turn any error of reading into a StoreError of one line that names the store."""
    try:
        yield
    except MgmtoolError:
        raise
    except Exception as error:  # each file system raises exceptions of its own kind
        words = redacted(one_line(str(error))).removeprefix(f"{name}: ") or type(error).__name__
        # A server that ignores ranges sends the whole file, whose checksum is another.
        hint = "; the server has to answer range requests" if name.startswith("http") and "checksum" in words else ""
        if isinstance(error, pa.ArrowException) or ".parquet" in words:  # a commit record, or index.parquet
            hint = "; mgmtool verify names what is damaged, and mgmtool repair drops it, so that extract makes it again"
        raise StoreError(f"{name} cannot be read: {words}{hint}") from error


@contextlib.contextmanager
def write_errors(name: str) -> Iterator[None]:
    """Turn errors of the system into a StoreWriteError of one line that names the store."""
    try:
        yield
    except OSError as error:
        if isinstance(error, StoreWriteError):
            raise
        words = error.strerror or str(error)
        raise StoreWriteError(f"cannot write {name}: {words}; what was committed before stays valid") from error
