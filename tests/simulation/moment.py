"""When the rows are looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Moment:
    """A moment: of true time, of the server's clock, of the timeline."""

    true: int | None = None
    """Microseconds since the epoch; None where nobody says."""
    server: int = 0
    elapsed: float = 0.0
    set_at: int | None = None
    """What the server's clock showed when it was set last; None where it was always right."""
    settled: bool = False
    """Whether everybody has been gone for long."""
