"""What is known of a service while it runs: when it last did something, and what went wrong."""

from __future__ import annotations

from armillary.discovery import told

_LONGEST = 500
"""Characters kept of what went wrong."""


class Record:
    """Kept by the service itself; moments are microseconds since the epoch."""

    __slots__ = ("done", "error", "failed", "failures", "times")

    def __init__(self) -> None:
        self.times = 0
        """How often it did what it is for."""
        self.done: int | None = None
        """When it did so last."""
        self.failures = 0
        self.failed: int | None = None
        self.error: str | None = None
        """What went wrong last, even if it has gone well since."""

    def went_well(self, now: int) -> None:
        """Note that it did what it is for."""
        self.times += 1
        self.done = now

    def went_wrong(self, now: int, error: BaseException) -> None:
        """Note that it did not."""
        self.failures += 1
        self.failed = now
        self.error = told(error)[:_LONGEST]

    @property
    def fails(self) -> bool:
        """Whether it went wrong the last time."""
        return self.failed is not None and (self.done is None or self.done < self.failed)
