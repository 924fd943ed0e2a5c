"""A condition of readiness."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What `/api/ready` asks: ``passes`` answers None if all is well, else what is wrong."""

    name: str
    passes: Callable[[], Awaitable[str | None]]
