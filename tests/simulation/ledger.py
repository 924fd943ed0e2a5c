"""What the server has acknowledged to somebody: whatever happens, it must be there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Ledger:
    """Everything that was answered with a 2xx, and who works on what."""

    flow_runs: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)
    """State id by run: every state that an answer has named."""
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    claims: dict[str, list[str]] = field(default_factory=dict)
    """The states by which workers were told that a run is theirs, by run."""
    finished: dict[str, str] = field(default_factory=dict)
    """The state type that a run was acknowledged to have ended in."""
    events: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    """What was seen that must not be, in words."""

    def state(self, run_id: str, document: Any) -> None:
        """An answer has named a state of a run."""
        if document is not None:
            self.states[document["id"]] = run_id

    def claimed(self, run_id: str, state_id: str) -> None:
        """A worker was told that a run is his."""
        self.claims.setdefault(run_id, []).append(state_id)
