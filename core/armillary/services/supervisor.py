"""Starts services together, stops them in reverse; one that fails stops all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from armillary.services.service import Service

if TYPE_CHECKING:
    from armillary.core import Core

_log = logging.getLogger("armillary.services")

GRACE = 5.0
"""Seconds a service has to end what it is at."""


class ServiceFailed(Exception):
    """A service ended by itself, which none does."""


class Supervisor:
    """The services of this process."""

    def __init__(self, services: Sequence[Service]) -> None:
        self.services = list(services)
        self._opened: list[Service] = []
        self._tasks: dict[Service, asyncio.Task[None]] = {}
        self.failure: asyncio.Future[ServiceFailed]
        self.since: int | None = None
        """When all of them ran, in microseconds since the epoch."""

    async def start(self) -> None:
        """Open every service, then run them; what opened is closed if one does not."""
        self.failure = asyncio.get_running_loop().create_future()
        try:
            for service in self.services:
                self._opened.append(service)
                await service.open()
        except BaseException:
            await self.stop()
            raise
        for service in self.services:
            task = asyncio.create_task(service.run(), name=f"service {service.name}")
            self._tasks[service] = task
            task.add_done_callback(partial(self._ended, service))
            self.since = service.core.clock.micros()
            _SUPERVISORS[service.core] = ref(self)

    def _ended(self, service: Service, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self.failure.done():
            return
        error = task.exception()
        failure = ServiceFailed(f"The service {service.name} failed: {error or 'it just ended'}.")
        failure.__cause__ = error
        self.failure.set_result(failure)

    async def drain(self) -> None:
        """Let every service end what it has under way, all at once."""
        drained = await asyncio.gather(
            *(service.drain() for service in self._opened), return_exceptions=True
        )
        for service, error in zip(self._opened, drained, strict=True):
            if isinstance(error, Exception):
                _log.error("%s did not drain cleanly", service.name, exc_info=error)

    def wind_down(self) -> None:
        """Tell every service that the process begins to stop."""
        for service in reversed(self._opened):
            try:
                service.wind_down()
            except Exception:  # noqa: BLE001 - the others are told all the same
                _log.exception("%s did not wind down cleanly", service.name)

    async def stop(self) -> None:
        """Stop and close every service, the last started first."""
        self.failure.cancel()
        for service in reversed(self._opened):
            task = self._tasks.pop(service, None)
            if task is not None:
                await _stopped(service, task)
            try:
                await service.close()
            except Exception:  # noqa: BLE001 - the others are closed all the same
                _log.exception("%s did not close cleanly", service.name)
            _SUPERVISORS.pop(service.core, None)
        self._opened.clear()


async def _stopped(service: Service, task: asyncio.Task[None]) -> None:
    """Cancel a service; cancel it again, for good, when its grace has passed."""
    for _ in range(2):
        task.cancel()
        await asyncio.wait({task}, timeout=GRACE)
        if task.done():
            return
    _log.error("%s did not stop within %g seconds and is left behind", service.name, 2 * GRACE)


_SUPERVISORS: WeakKeyDictionary[Core, ref[Supervisor]] = WeakKeyDictionary()


def supervisor_of(core: Core) -> Supervisor | None:
    """Return who looks after the services of a core; None where none were started."""
    found = _SUPERVISORS.get(core)
    return None if found is None else found()
