"""What a run is in the models, and how its columns follow from its states (1.6, 2.8)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

TERMINAL = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}
SECOND = 1_000_000
KEPT = {"type": "result", "storage_key": "k"}
UNPERSISTED = {"type": "unpersisted"}


@dataclass
class State:
    """A state, stored or proposed; a proposal has no moment yet."""

    type: str
    name: str
    message: str | None = None
    data: Any = None
    at: int = -1
    id: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def get(self, key: str) -> Any:
        return self.details.get(key)

    @property
    def persisted(self) -> bool:
        return isinstance(self.data, dict) and self.data.get("type") != "unpersisted"

    @property
    def terminal(self) -> bool:
        return self.type in TERMINAL


@dataclass
class Run:
    """The columns that follow from states, for flow runs and task runs alike."""

    id: str
    state: State | None = None
    history: list[State] = field(default_factory=list)
    run_count: int = 0
    ran: int = 0
    start: int | None = None
    end: int | None = None
    expected: int | None = None
    due: int | None = None

    def columns(self, new: State, now: int) -> None:
        """Make a state the run's."""
        old = self.state
        new.at = now
        while any(each.at >= new.at for each in self.history):
            new.at += 1
        if new.data == UNPERSISTED:
            new.data = None
        if new.type == "SCHEDULED" and new.get("scheduled_time") is None:
            new.details["scheduled_time"] = now
        neither = self.start is None and self.end is None
        if self.start is None and (new.type == "RUNNING" or (new.terminal and neither)):
            self.start = new.at
        if old and old.terminal and not new.terminal:
            self.end = None
        if new.terminal and self.end is None:
            self.end = new.at
        if old and old.type == "RUNNING":
            self.ran += new.at - old.at
        if self.expected is None:
            scheduled = new.type == "SCHEDULED"
            self.expected = new.get("scheduled_time") if scheduled else new.at
        self.due = new.get("scheduled_time") if new.type == "SCHEDULED" else None
        self.state = new
        self.history.append(new)

    def lateness(self, now: int) -> int:
        """Of 1.6, the last row."""
        assert self.expected is not None
        if self.start is not None and self.start > self.expected:
            return self.start - self.expected
        ended = self.state is not None and self.state.terminal
        if self.start is None and not ended and self.expected < now:
            return now - self.expected
        return 0

    def estimated(self, now: int) -> int:
        """The run time so far, with what it has been running."""
        running = self.state is not None and self.state.type == "RUNNING"
        return self.ran + (now - self.state.at if running and self.state else 0)


@dataclass
class Outcome:
    """What the gate should answer, before it is written."""

    status: str
    state: State | None = None
    """What is written: the proposal where it is accepted, a replacement where it is not."""
    wait: int = 0


def wait_seconds(state: State | None, now: int) -> int:
    """How long a run has to wait for its time, in whole seconds (2.4 #14)."""
    due = state.get("scheduled_time") if state else None
    if due is None or due <= now:
        return 0
    return (due - now) // SECOND + round((due - now) % SECOND / SECOND)


def copied(state: State) -> State:
    """The same again, to be changed."""
    return deepcopy(state)
