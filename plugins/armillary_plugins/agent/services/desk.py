"""What every execution works with, and what it is given to run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from armillary.clock import Clock
from armillary_plugins.agent.config import Config
from armillary_plugins.agent.services.control import Control
from armillary_plugins.agent.services.processes import Spawner
from armillary_plugins.agent.services.proposing import Office
from armillary_plugins.agent.services.pythons import Pythons
from armillary_plugins.agent.services.shipping import Shipper

Json = Any


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What every execution works with."""

    config: Config
    clock: Clock
    office: Office
    shipper: Shipper
    spawner: Spawner
    pythons: Pythons
    control: Control
    machine: Mapping[str, str]
    name: str
    in_touch: Callable[[], Awaitable[None]]
    """Waits until the server, which may have given up an agent it has not heard of, was heard."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A run that the agent was offered, and the transition by which it claims it."""

    run: dict[str, Json]
    claim: str
    pool: str
    template: dict[str, Json]

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.run["id"])

    @property
    def due(self) -> int | None:
        """When it is to start, in microseconds since the epoch."""
        moment = self.run.get("next_scheduled_start_time")
        if moment is None:
            return None
        return int(datetime.fromisoformat(moment).timestamp() * 1_000_000)
