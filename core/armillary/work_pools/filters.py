"""Which work pools, queues and workers a client asks for."""

from __future__ import annotations

from armillary.criteria import Choice, Combining, Ids, Prefixes, Times
from armillary.db.filters import Condition


class WorkPoolFilter(Combining):
    """Conditions on work pools."""

    id: Ids | None = None
    name: Choice | None = None
    type: Choice | None = None

    def on(self, alias: str = "p") -> Condition:
        """Make the condition."""
        parts = []
        if self.id is not None:
            parts.append(self.id.on(f"{alias}.id"))
        if self.name is not None:
            parts.append(self.name.on(f"{alias}.name"))
        if self.type is not None:
            parts.append(self.type.on(f"{alias}.type"))
        return self.combine(parts)


class WorkQueueFilter(Combining):
    """Conditions on work queues."""

    id: Ids | None = None
    name: Prefixes | None = None

    def on(self, alias: str = "q") -> Condition:
        """Make the condition."""
        parts = []
        if self.id is not None:
            parts.append(self.id.on(f"{alias}.id"))
        if self.name is not None:
            parts.append(self.name.on(f"{alias}.name"))
        return self.combine(parts)


class WorkerFilter(Combining):
    """Conditions on workers."""

    last_heartbeat_time: Times | None = None
    status: Choice | None = None

    def on(self, alias: str = "w") -> Condition:
        """Make the condition."""
        parts = []
        if self.last_heartbeat_time is not None:
            parts.append(self.last_heartbeat_time.on(f"{alias}.last_heartbeat_time"))
        if self.status is not None:
            parts.append(self.status.on(f"{alias}.status"))
        return self.combine(parts)
