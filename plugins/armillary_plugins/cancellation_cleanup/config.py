"""Settings of cancellation_cleanup."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a cancellation reaches, and how long it may take."""

    interval: float = 20.0
    """Seconds between two looks."""
    timeout: float = 300.0
    """Seconds a run may stay Cancelling before it is Cancelled without its owner's word."""
    days: float = 1.0
    """For how many days after its end a cancelled run still takes its children with it."""
    batch: int = 200
    """Rows handled in one turn at most."""
