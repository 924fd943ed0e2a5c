"""Settings of the logs."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How logs of deleted runs are cleared away."""

    interval: float = 60.0
    """Seconds between two looks."""
    after: float = 300.0
    """Seconds that the last line of a run must be old before the run is found to be gone."""
    look_at: int = 500
    """Runs that one look is at, at most; the next look goes on after them."""
    batch: int = 1000
    """Lines deleted in one commit at most."""
