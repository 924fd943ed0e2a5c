"""Settings of mark_crashed_runs."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an agent is taken for gone."""

    interval: float = 10.0
    """Seconds between two looks."""
    silence: float = 45.0
    """Seconds after which an agent that was not heard of is gone, and its name free."""
    batch: int = 200
    """Runs handled in one turn at most."""
