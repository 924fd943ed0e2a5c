"""Settings of the event websockets."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `/events/out` gives."""

    stream_out: bool = True
    """Whether `/events/out` is served at all."""
    backfill: float = 900.0
    """Seconds back that a new stream may reach at most."""
