"""Settings of concurrency."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When slots are taken back."""

    interval: float = 10.0
    """Seconds between two looks for leases past their end."""
    batch: int = 100
    """Leases handled in one turn at most."""
    unknown_after: float = 3600.0
    """Seconds after which a lease without an end goes whose holder nobody has heard of."""
