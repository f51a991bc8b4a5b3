"""Whether a process that left a file behind is still there."""

from __future__ import annotations

import os


def is_alive(process: str) -> bool:
    """Whether a process of this machine with this number, as text, exists; False for what is no number."""
    try:
        os.kill(int(process), 0)
    except PermissionError:
        return True  # somebody else's
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    return True
