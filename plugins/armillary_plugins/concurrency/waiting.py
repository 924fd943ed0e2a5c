"""How long somebody who found no slot is told to wait.

Who is told to come back is expected back, so the number of those expected is the number who
wait.  Together they ask for a limit some twenty times a second at most, and however few they are
each asks about four times a second: a slot that is given back is taken within that time.
"""

from __future__ import annotations

import heapq

from armillary.concurrency.slots import Limit, denied, used
from armillary.orchestration.rules.retry_failed_task_run import spread

_ASKS_PER_SECOND = 20
_ALONE = 0.25
_SHORTEST = 0.05
_LONGEST = 60.0
_JITTER = 0.3
_SECOND = 1_000_000


class WaitingRoom:
    """Remembers when those who were sent away are expected back, by limit."""

    def __init__(self) -> None:
        self._expected: dict[str, list[int]] = {}

    def waiting(self, limit_id: str, now: int) -> int:
        """Count those who are expected back later than now."""
        expected = self._expected.get(limit_id)
        if expected is None:
            return 0
        while expected and expected[0] <= now:
            heapq.heappop(expected)
        if not expected:
            del self._expected[limit_id]
        return len(expected)

    def send_away(self, limits: list[Limit], slots: int, now: int, *, chance: float) -> float:
        """Say after how many seconds to ask again for slots of limits that have no room."""
        mean = max(
            mean_wait(limit, slots, now, waiting=self.waiting(limit.id, now)) for limit in limits
        )
        seconds = round(max(spread(mean, _JITTER, chance), _SHORTEST), 3)
        for limit in limits:
            until = now + int(seconds * _SECOND)
            heapq.heappush(self._expected.setdefault(limit.id, []), until)
        return seconds


def mean_wait(limit: Limit, slots: int, now: int, *, waiting: int) -> float:
    """Seconds until somebody finds room, on average, while ``waiting`` others want it too."""
    if limit.decay > 0:
        lacking = used(limit, now) + slots - limit.limit
        begun = limit.decay * max(0, now - limit.updated) / _SECOND % 1
        return min((lacking - begun + waiting * slots) / limit.decay, _LONGEST)
    wanted = slots + min(denied(limit, now), waiting * slots)
    until_free = min(limit.occupancy, limit.longest_wait) * wanted / limit.limit
    return min(until_free, limit.longest_wait, max(_ALONE, waiting / _ASKS_PER_SECOND))
