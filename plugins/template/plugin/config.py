"""Settings of example."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it counts."""

    interval: float = 60.0
    """Seconds between two counts."""
