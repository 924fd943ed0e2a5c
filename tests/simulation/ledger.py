"""What the server has acknowledged to somebody: whatever happens, it must be there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.simulation.places import Place
from tests.simulation.timeline import Process

AWAKE_EVERY = 5.0
_UNNOTICED = 30.0
"""Seconds of a lease that may be lost to absences too short to be made up for."""


@dataclass(frozen=True)
class Reported:
    """An event by which a client told of a task run's state."""

    id: str
    place: Place
    flow_run_id: str
    task_run_id: str
    occurred: int
    kind: str
    run_count: int


@dataclass
class Schedule:
    """What somebody knows of a deployment's schedule: from when on it has been as it is."""

    deployment_id: str
    place: Place
    every: int
    """Seconds between two slots, all at whole multiples since the epoch; 0 for none."""
    since: int
    """Microseconds of true time at which the last change of it was acknowledged."""


@dataclass(eq=False)
class Edit:
    """A change of a deployment while it is under way; nobody knows what comes of two at a time."""

    alone: bool


@dataclass
class Belief:
    """Somebody takes slots of limits for his own until then, on his own clock."""

    names: tuple[tuple[int, str], ...]
    slots: int
    until: float
    served: float = 0.0
    """How long the server had been there when it said so."""


@dataclass
class Heard:
    """What one subscriber has received."""

    name: str
    place: Place
    since: int
    """Microseconds of true time at which it began to listen."""
    ids: set[str] = field(default_factory=set)
    _since: float | None = None
    """Since when, of the timeline, the line is up and he awake; None while it is not."""
    _awake: float = 0.0
    _last: dict[str, int] = field(default_factory=dict)

    def connected(self, now: float) -> None:
        """A line is up; what comes may begin before what was heard."""
        self._since = self._awake = now
        self._last.clear()

    def awake(self, now: float) -> None:
        """He is there; said every few seconds."""
        if self._since is not None and now - self._awake > 2 * AWAKE_EVERY:
            self._since = now
        self._awake = now

    def broken(self) -> None:
        """The line is down."""
        self._since = None

    def steady(self, now: float, seconds: float) -> bool:
        """Tell whether he has listened for so long without a gap, and still does."""
        since = self._since
        listening = since is not None and now - since >= seconds
        return listening and now - self._awake <= 2 * AWAKE_EVERY

    def event(self, event_id: str, run: str, occurred: int) -> str | None:
        """Take an event; say what is wrong with its place in the stream, if anything is."""
        if event_id in self.ids:
            return None
        self.ids.add(event_id)
        before = self._last.get(run, occurred)
        self._last[run] = max(before, occurred)
        if before > occurred:
            return f"event {event_id} of {run} came after a later one"
        return None


@dataclass
class Ledger:
    """Everything that was answered with a 2xx, and who works on what."""

    flow_runs: dict[str, Place] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    """State id by run: every state that an answer has named."""
    deployments: dict[str, Place] = field(default_factory=dict)
    names: dict[str, tuple[Place, str]] = field(default_factory=dict)
    """What deployments are called."""
    schedules: dict[str, Schedule] = field(default_factory=dict)
    """By deployment; one whose last change nobody is sure of is not there."""
    edits: dict[tuple[Place, str], list[Edit]] = field(default_factory=dict)
    """Changes of deployments that are under way, by name; of who was killed meanwhile they stay."""
    claims: dict[str, list[str]] = field(default_factory=dict)
    """The states by which workers were told that a run is theirs, by run."""
    ordered: dict[str, str] = field(default_factory=dict)
    """The deployment of runs that were ordered."""
    started: set[str] = field(default_factory=set)
    """Runs that were told to run."""
    finished: dict[str, str] = field(default_factory=dict)
    """The state type that a run was acknowledged to have ended in."""
    lines: dict[str, str] = field(default_factory=dict)
    """The flow runs of log lines that were taken, by what they say."""
    reported: dict[str, Reported] = field(default_factory=dict)
    """Every event that somebody has begun to send."""
    durable: set[str] = field(default_factory=set)
    """Those of them that the server took off their hands."""
    standing: dict[str, str] = field(default_factory=dict)
    """The task runs that stand for subflow runs, by those."""
    doomed: set[str] = field(default_factory=set)
    """Ids of runs and deployments that somebody has asked to delete."""
    called_off: set[str] = field(default_factory=set)
    """Runs whose end, and with it their slots, somebody else has asked for."""
    beliefs: dict[str, Belief] = field(default_factory=dict)
    """By lease, or by run for slots of deployments."""
    served: float = 0.0
    """Seconds for which the server was there and could write, as looks now and then tell."""
    capacity: dict[tuple[int, str], int] = field(default_factory=dict)
    """The largest value each limit was ever asked to have."""
    executing: dict[str, Process] = field(default_factory=dict)
    """Who executes a run, by run: one of them at a time."""
    heard: list[Heard] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What was seen that must not be, in words."""

    def run(self, document: Any, place: Place) -> None:
        """An answer has named a run that was created."""
        self.flow_runs[document["id"]] = place
        if document["deployment_id"] is not None:
            self.ordered[document["id"]] = document["deployment_id"]
        self.state(document["id"], document["state"])

    def may_be_gone(self, run_id: str) -> bool:
        """Tell whether somebody has deleted a run, or its deployment before it ran."""
        if run_id in self.doomed or run_id not in self.flow_runs:
            return True
        return self.ordered.get(run_id) in self.doomed and run_id not in self.started

    def state(self, run_id: str, document: Any) -> None:
        """An answer has named a state of a run."""
        if document is not None:
            self.states[document["id"]] = run_id
            if document["type"] == "RUNNING":
                self.started.add(run_id)

    def claimed(self, run_id: str, state_id: str) -> None:
        """A worker was told that a run is his."""
        self.claims.setdefault(run_id, []).append(state_id)

    def allow(self, place: Place, name: str, slots: int) -> None:
        """Somebody asks for a limit of so many slots."""
        key = (place.key, name)
        self.capacity[key] = max(slots, self.capacity.get(key, 0))

    def believe(self, key: str, belief: Belief, now: float) -> None:
        """Somebody was given slots; nobody may have been given too many."""
        self.beliefs[key] = belief
        belief.served = self.served
        for name in belief.names:
            held = [one for one in self.beliefs.values() if name in one.names and one.until > now]
            taken = sum(one.slots for one in held)
            if taken > self.capacity.get(name, taken):
                self.wrong.append(f"{taken} slots of limit {name} are taken by living holders")

    def prolong(self, key: str, until: float) -> None:
        """Somebody was told that his slots are his for longer."""
        if key in self.beliefs:
            self.beliefs[key].until = until
            self.beliefs[key].served = self.served

    def taken_back(self, lease_id: str, seconds: float) -> None:
        """A holder was told that his lease is gone; nobody but he and its end may have ended it."""
        belief = self.beliefs.get(lease_id)
        if belief is not None and self.served - belief.served < seconds - _UNNOTICED:
            self.wrong.append(f"lease {lease_id} was taken from a holder who could not renew it")

    def disbelieve(self, key: str) -> None:
        """Somebody lets go of his slots, or was told that they are gone."""
        self.beliefs.pop(key, None)
