"""Settings of artifacts."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How artifacts of deleted flow runs are cleared away."""

    interval: float = 60.0
    """Seconds between two looks."""
    after: float = 300.0
    """Seconds that an artifact must be old before its flow run is found to be gone."""
    look_at: int = 500
    """Artifacts that one look is at, at most; the next look goes on after them."""
