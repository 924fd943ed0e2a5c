"""One of several servers on one PostgreSQL, which wait for Redis to hear from each other.

What differs from `armillary start`: singletons agree who runs, nobody refuses to be the second,
and what others commit is noticed by the sweep of the outbox.  Each turn of a singleton is noted.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import timedelta
from functools import partial

from armillary.broker import embedded
from armillary.cli import main as armillary
from armillary.deployments import scheduling
from armillary.deployments.scheduling import Horizon
from armillary.services import lease, loop, presence
from armillary.services.loop import Done, LoopService
from armillary.services.service import Service

TURNS, BEYOND = "SOAK_TURNS", "SOAK_LEASE_BEYOND"
"""The file where turns are noted, and the seconds by which a lease is longer than an interval."""
_SWEEP = 0.5
_AHEAD = 20
"""Seconds for which a new schedule has runs at once: the loop has to make the others."""


class Alongside(Service):
    """Takes the place of what refuses a second process."""

    name = "presence"

    async def run(self) -> None:
        """Do nothing."""
        await asyncio.Event().wait()


def _note(file: int, what: str, service: str, *, at: float, until: float = 0) -> None:
    os.write(file, f"{at} {os.getpid()} {what} {service} {until}\n".encode())


def main() -> int:
    """Be one of several."""
    note = partial(_note, os.open(os.environ.pop(TURNS), os.O_WRONLY | os.O_APPEND | os.O_CREAT))
    hold, turn = lease.Lease.hold, LoopService.turn

    async def noted_hold(held: lease.Lease) -> bool:
        asked = time.monotonic()
        ours = await hold(held)
        if ours:
            until = asked + held._micros / 1e6
            note("begin", held._service, at=time.monotonic(), until=until)
        return ours

    async def noted_turn(service: LoopService) -> Done | None:
        try:
            return await turn(service)
        finally:
            note("end", service.name, at=time.monotonic())

    lease.Lease.hold = noted_hold  # type: ignore[assignment,method-assign]
    LoopService.turn = noted_turn  # type: ignore[assignment,method-assign]
    loop._LEASE_BEYOND = float(os.environ.pop(BEYOND))
    embedded.EmbeddedBroker.shared = True
    embedded._SWEEP = _SWEEP
    scheduling._AT_ONCE = Horizon(min_runs=1, min_time=timedelta(seconds=_AHEAD))
    presence.Presence = Alongside  # type: ignore[assignment,misc]
    return armillary()


if __name__ == "__main__":
    sys.exit(main())
