"""Settings of mark_late_runs."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a run is late."""

    interval: float = 5.0
    """Seconds between two looks."""
    after: float = 15.0
    """Seconds past its scheduled start after which a run is late."""
    batch: int = 400
    """Runs handled in one turn at most."""
