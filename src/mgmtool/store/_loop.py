"""Run zarr's asynchronous API from ordinary code: one event loop per process, in a thread of its own.

Zarr's synchronous API makes a trip to a thread for each array; a coroutine of ours reads several arrays in one trip.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class _LoopThread:
    """An event loop and its thread, both started with the first coroutine."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start over in a forked process, where the thread does not exist and nobody would ever release the lock."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def started(self) -> asyncio.AbstractEventLoop:
        """Return the loop, running."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="mgmtool-read", daemon=True)
                self._thread.start()
            return self._loop

    def stop(self) -> None:
        """Close the loop at the end of the process."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join(1)
                if not self._thread.is_alive():
                    self._loop.close()
                self._loop = None


_THREAD = _LoopThread()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_THREAD.forget)
atexit.register(_THREAD.stop)


def wait_for(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end and return its result, or raise its error. An interrupt cancels it."""
    future = asyncio.run_coroutine_threadsafe(coroutine, _THREAD.started())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
