"""How much is put into a database, and the chance it is made of."""

import random
from dataclasses import dataclass

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What is asked for: the same shape gives the same rows."""

    runs: int
    now: int
    """Where the history ends and what is scheduled begins, in microseconds."""
    seed: int = 1
    days: int = 60
    tasks: int = 10
    """Task runs of a flow run, on average."""
    flows: int = 150
    deployments: int = 300
    tags: int = 200
    pools: int = 8
    scheduled: int = 0
    """Runs beside the others that are yet to start; a fiftieth of them late."""
    graph: int = 0
    """Task runs of one run more, which lies an hour back."""
    log_days: int = 30
    event_days: int = 7
    """Days of events of flow runs; those of task runs are many more and go back one day."""


class Ids:
    """Ids as the product makes them, UUIDv7, of a moment and a seeded chance."""

    def __init__(self, chance: random.Random) -> None:
        self._bits = chance.getrandbits

    def at(self, micros: int) -> str:
        """Return an id that sorts by the moment."""
        bits = self._bits(62)
        time = f"{micros // 1000:012x}"
        low = f"{0x8000 | bits >> 48:04x}-{bits & 0xFFFFFFFFFFFF:012x}"
        return f"{time[:8]}-{time[8:]}-7{micros % 1000 * 4:03x}-{low}"


def declining(count: int) -> list[float]:
    """Weights of things of which few are used much and many are used little; they ascend to 1."""
    weights = [1 / (place + 1) ** 0.8 for place in range(count)]
    whole, reached, found = sum(weights), 0.0, []
    for weight in weights:
        reached += weight / whole
        found.append(reached)
    return found
