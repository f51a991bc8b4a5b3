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
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="mgmtool-read", daemon=True)
                self._thread.start()
            return self._loop

    def stop(self) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join(1)
                if not self._thread.is_alive():
                    self._loop.close()


_current = _LoopThread()


def _renew() -> None:
    """Forget the loop in a forked process, where its thread does not exist."""
    global _current  # noqa: PLW0603
    _current = _LoopThread()


os.register_at_fork(after_in_child=_renew)
atexit.register(lambda: _current.stop())


def wait_for(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end and return its result, or raise its error. An interrupt cancels it."""
    future = asyncio.run_coroutine_threadsafe(coroutine, _current.started())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
