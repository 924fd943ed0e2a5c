"""The states a flow run went through, and what of them its row says."""

import datetime as dt
import random
from dataclasses import dataclass
from typing import NamedTuple

from tests.speed.seeding.catalog import Deployment, Flow
from tests.speed.seeding.shape import HOUR, SECOND, Ids

OUTCOMES = ("COMPLETED",) * 92 + ("FAILED",) * 5 + ("CANCELLED",) * 2 + ("CRASHED",)
MESSAGES = {
    "COMPLETED": "All states completed.",
    "FAILED": "Flow run encountered an exception: ValueError: no invoices for this day",
    "CANCELLED": None,
    "CRASHED": "Flow run infrastructure exited with non-zero status code -9.",
}
_MILLISECOND = 1000


class State(NamedTuple):
    id: str
    type: str
    name: str
    timestamp: int
    message: str | None


@dataclass(frozen=True, kw_only=True)
class Run:
    """A flow run as its rows and those below it are made of."""

    id: str
    name: str
    flow: Flow
    deployment: Deployment | None
    auto: bool
    tags: tuple[str, ...]
    expected: int
    start: int | None
    stop: int
    """When it ended or, if it has not, will."""
    ended: bool
    attempts: int
    states: tuple[State, ...]
    parent: str | None = None

    @property
    def head(self) -> State:
        return self.states[-1]


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a run went: when it was made, should start, started, and would end."""

    created: int
    expected: int
    start: int
    stop: int
    outcome: str
    scheduled: bool
    late: bool
    retried: bool


class Courses:
    """Draws how runs go, and the states that come of it."""

    def __init__(self, chance: random.Random, ids: Ids, *, now: int) -> None:
        self._chance, self._ids, self._now = chance, ids, now

    def draw(self, expected: int, *, scheduled: bool, auto: bool, lasts: bool) -> Course:
        """Let a run that was due be made, wait, run and end; one that lasts goes on still."""
        chance, now = self._chance, self._now
        room = now - expected
        late = scheduled and room > HOUR and chance.random() < 0.03
        waits = int(chance.uniform(20, 600) * SECOND) if late else int(SECOND * chance.random())
        start = expected + min(waits + 2 * SECOND, room // 2)
        seconds = min(3 + chance.lognormvariate(4.1, 1.2), 6 * 3600)
        stop = max(start, now) + 60 * SECOND if lasts else start + int(seconds * SECOND)
        return Course(
            created=expected - (int(chance.random() * HOUR) + SECOND if auto else 0),
            expected=expected,
            start=start,
            stop=stop,
            outcome=chance.choice(OUTCOMES),
            scheduled=scheduled,
            late=late,
            retried=chance.random() < 0.02,
        )

    def states(self, course: Course) -> list[State]:
        """List the states up to now, of ascending times."""
        start, stop, outcome = course.start, course.stop, course.outcome
        found: list[tuple[str, str, int, str | None]] = []
        if course.scheduled:
            found.append(("SCHEDULED", "Scheduled", course.created, "Flow run scheduled"))
        if course.late:
            found.append(("SCHEDULED", "Late", course.expected + 15 * SECOND, None))
        found.append(("PENDING", "Pending", start - (start - course.expected) // 4, None))
        found.append(("RUNNING", "Running", start + _MILLISECOND, None))
        if course.retried:
            third = (stop - start) // 3
            again = "Retried after an exception"
            found.append(("SCHEDULED", "AwaitingRetry", start + third, again))
            found.append(("RUNNING", "Retrying", start + third + third // 4, None))
        if outcome == "CANCELLED":
            found.append(("CANCELLING", "Cancelling", stop - SECOND // 2, None))
        found.append((outcome, outcome.capitalize(), stop, MESSAGES[outcome]))
        return [
            State(self._ids.at(at), kind, name, at, message)
            for kind, name, at, message in found
            if at <= self._now
        ]

    def waiting(self, moment: int) -> list[State]:
        """List the states of a run that is yet to start."""
        created = min(moment, self._now) - int(self._chance.random() * HOUR) - SECOND
        made = State(self._ids.at(created), "SCHEDULED", "Scheduled", created, "Flow run scheduled")
        if moment > self._now:
            return [made]
        late = min(moment + 15 * SECOND, self._now)
        return [made, State(self._ids.at(late), "SCHEDULED", "Late", late, None)]


def moment_of(micros: int) -> dt.datetime:
    """Turn microseconds into a time, to the last of them."""
    return dt.datetime.fromtimestamp(micros // SECOND, dt.UTC).replace(microsecond=micros % SECOND)


def iso(micros: int) -> str:
    """Write a time as the product stores it inside of documents."""
    return moment_of(micros).isoformat().replace("+00:00", "Z")
