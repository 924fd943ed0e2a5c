"""What the server has acknowledged to the clients of a load: whatever happens, it is there."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Acknowledged:
    """Everything that was answered with a 2xx, and how often what was answered."""

    flow_runs: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)
    """The run of every state that an answer has named."""
    finished: dict[str, str] = field(default_factory=dict)
    """The state type that a run was acknowledged to have ended in."""
    claims: dict[str, list[str]] = field(default_factory=dict)
    """The states by which workers were told that a run is theirs, by run."""
    sent: set[str] = field(default_factory=set)
    """Events that somebody has begun to send."""
    events: set[str] = field(default_factory=set)
    """Events that a pong has confirmed."""
    logs: dict[str, int] = field(default_factory=dict)
    """Lines of a batch, by the mark that they begin with."""
    leases: dict[str, float] = field(default_factory=dict)
    """Until when a lease is certainly held; who gives it back takes it out before he asks."""
    answers: Counter[str] = field(default_factory=Counter)
    """Statuses, `lost` for a broken connection, and what else is worth a count."""
    wrong: list[str] = field(default_factory=list)
    """What was seen that must not be, in words."""
    accepted: float = 0.0
    """When the last write was acknowledged."""

    def state(self, run_id: str, document: Any) -> None:
        """An answer has named a state of a run."""
        if document is not None:
            self.states[document["id"]] = run_id

    def claimed(self, run_id: str, state_id: str) -> None:
        """A worker was told that a run is his."""
        self.claims.setdefault(run_id, []).append(state_id)

    def counted(self, status: int) -> None:
        self.answers[str(status)] += 1

    def written(self) -> None:
        self.accepted = time.monotonic()

    def complain(self, sentence: str) -> None:
        if sentence not in self.wrong:
            self.wrong.append(sentence)
