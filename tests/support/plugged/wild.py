"""The local engine, whose workers do what the name of a video says; see :func:`driving.plug_in`."""

from __future__ import annotations

from support.engine_work import Wild

PLUGIN = Wild
