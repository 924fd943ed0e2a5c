"""Says that something is away, without saying so every second."""

from __future__ import annotations

import logging

from armillary.clock import Clock

_FIRST, _LONGEST = 10.0, 600.0
"""Seconds between the first two times that it is said, and between two at most."""


class Outage:
    """Is said at once, then less and less often, and so is its end."""

    def __init__(self, log: logging.Logger, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._since: float | None = None
        self._again = 0.0

    def lasts(self, what: str, error: Exception) -> None:
        """Say what cannot be done, and why, if it is time to."""
        now = self._clock.monotonic()
        if self._since is None:
            self._since = self._again = now
        if now >= self._again:
            self._log.warning("%s: %s", what, error)
            self._again = now + min(max(now - self._since, _FIRST), _LONGEST)

    def over(self, what: str) -> None:
        """Say that it is done again, if it was said that it is not."""
        if self._since is not None:
            seconds = self._clock.monotonic() - self._since
            self._log.info("%s again, after %.0f s", what, seconds)
            self._since = None
