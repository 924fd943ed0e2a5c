"""Settings of scheduler."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far ahead runs are created, and how often that is looked at; seconds."""

    interval: float = 60.0
    """Between two looks at all deployments."""
    recent_interval: float = 5.0
    """Between two looks at deployments that were changed."""
    deployments: int = 100
    """Deployments read at a time."""
    min_runs: int = 3
    """Runs each schedule has ahead at least."""
    max_runs: int = 100
    """Runs each schedule is given at a time at most."""
    min_time: float = 3600.0
    """How far ahead runs are created at least."""
    max_time: float = 8_640_000.0
    """How far ahead runs are created at most."""
