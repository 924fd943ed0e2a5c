"""Settings of fail_expired_pauses."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often paused runs are looked at."""

    interval: float = 5.0
    """Seconds between two looks."""
    batch: int = 200
    """Paused runs read at a time."""
