"""Settings of work_queue_monitor."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When something counts as gone quiet; seconds."""

    interval: float = 15.0
    """Between two looks."""
    heartbeats: float = 3.0
    """Heartbeats a worker may miss."""
    heartbeat_interval: float = 30.0
    """The interval of a worker that does not say its own."""
    deployment_polled_within: float = 60.0
    """Within which a deployment must have been polled."""
    queue_polled_within: float = 60.0
    """Within which a queue must have been polled."""
