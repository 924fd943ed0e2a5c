"""Singleton services are not run by two processes at once, as each has noted its turns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_OVERTIME = 15.0
"""Seconds for which a turn may outlast its lease: PostgreSQL lets a row be locked for ten."""


@dataclass(frozen=True)
class Stretch:
    """From then to then, on the clock that all processes of a machine share."""

    begin: float
    end: float

    def meets(self, other: Stretch) -> bool:
        return self.begin < other.end and other.begin < self.end


@dataclass(frozen=True)
class Turn:
    """One turn of a singleton in one process."""

    pid: int
    service: str
    during: Stretch
    leased: float
    """Until when it certainly had the lease."""

    @property
    def rightful(self) -> Stretch:
        """The part of it in which nobody else may take one."""
        return Stretch(self.during.begin, min(self.during.end, self.leased))


def turns(file: Path) -> list[Turn]:
    """Every turn that came to an end."""
    began: dict[tuple[str, str], tuple[float, float]] = {}
    found = []
    for line in file.read_text().splitlines():
        at, pid, what, service, until = line.split(" ")
        if what == "begin":
            first, _ = began.get((pid, service), (float(at), 0.0))
            began[pid, service] = (first, float(until))
        elif (pid, service) in began:
            first, leased = began.pop((pid, service))
            found.append(Turn(int(pid), service, Stretch(first, float(at)), leased))
    return found


def overlapping(found: Sequence[Turn], frozen: Sequence[tuple[int, Stretch]]) -> list[str]:
    """Turns of one service in two processes at once, and those that went on without a lease.

    Who is frozen in the middle of a turn goes on with it when he is woken, until he is told that
    somebody else has the lease.  What he writes meanwhile looks at its rows again.
    """
    wrong = []
    by_service: dict[str, list[Turn]] = defaultdict(list)
    for turn in found:
        by_service[turn.service].append(turn)
        still = any(pid == turn.pid and turn.during.meets(then) for pid, then in frozen)
        if turn.during.end > turn.leased + _OVERTIME and not still:
            wrong.append(f"a turn of {turn.service} went on without its lease: {turn}")
    for service, taken in by_service.items():
        ordered = sorted(taken, key=lambda turn: turn.during.begin)
        for one, other in pairwise(ordered):
            if one.pid != other.pid and one.rightful.meets(other.rightful):
                wrong.append(f"{service} was run by two at once: {one}, {other}")
    return wrong
