"""A service that takes turns.

::

    jitter ──▶ lease held? ──no──▶ sleep ──┐
      ▲             │yes                   │
      │          run_once ── raises ──▶ one log line
      │             │                      │
      └──── sleep ◀─┴──────────────────────┘

A stop ends the sleep at once, and a turn between two items: ``for run in self.each(rows)``; so
does the loss of the lease, as when the process stood still.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, TypeVar

import msgspec

from armillary.errors import Unavailable
from armillary.services.lease import Lease
from armillary.services.service import Service

if TYPE_CHECKING:
    from armillary.core import Core

T = TypeVar("T")

_FIRST_WITHIN = 1.0
_SPREAD = 0.1
_LEASE_BEYOND = 30.0


class Done(msgspec.Struct, frozen=True):
    """What a turn came to."""

    found: int = 0
    changed: int = 0


class LoopService(Service):
    """Does :meth:`run_once` every ``interval`` seconds; a singleton does so in one process only."""

    singleton: ClassVar[bool] = True

    def __init__(self, core: Core, *, interval: float) -> None:
        super().__init__(core)
        self.interval = interval
        self.stopping = False
        self._lost = False
        """Whether somebody else got the lease in the middle of the turn."""
        self._lease = Lease(core, self.name, seconds=interval + _LEASE_BEYOND)

    @abstractmethod
    async def run_once(self) -> Done:
        """Take one turn."""

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """Go through a turn's items, ending early when the service is to stop."""
        for item in items:
            if self.stopping or self._lost:
                return
            yield item

    async def run(self) -> None:
        """Take turns until cancelled."""
        self.stopping = False
        chance, sleep = self.core.chance, self.core.clock.sleep
        await sleep(min(self.interval, _FIRST_WITHIN) * chance.random())
        while True:
            turn = asyncio.ensure_future(self.turn())
            try:
                await asyncio.shield(turn)
            except asyncio.CancelledError:
                self.stopping = True
                await _ended(turn)
                raise
            await sleep(self.interval * (1 + _SPREAD * (chance.random() - 0.5)))

    async def close(self) -> None:
        """Give the lease back."""
        await self._lease.give_back()

    async def turn(self) -> Done | None:
        """Take one turn if it is ours; a failure is one log line and None."""
        began = self.core.clock.monotonic()
        outcome = "failed"
        try:
            if self.singleton and not await self._lease.hold():
                self.signal("elsewhere", None)
                return None
            self._lost = False
            async with self._lease.kept(self._leave):
                done = await self.run_once()
            outcome = "done"
        except Unavailable as error:
            self.log.warning("a turn was left out: %s", error)
            self.record.went_wrong(self.core.clock.micros(), error)
            self.signal("failed", error)
            return None
        except Exception as error:
            self.log.exception("a turn failed; the next one comes in %g s", self.interval)
            self.record.went_wrong(self.core.clock.micros(), error)
            self.signal("failed", error)
            return None
        finally:
            self._measure(outcome, self.core.clock.monotonic() - began)
        self.record.went_well(self.core.clock.micros())
        self.core.metrics.count("armillary_service_found_total", done.found, service=self.name)
        self.core.metrics.count("armillary_service_changed_total", done.changed, service=self.name)
        self.signal("turned", done)
        return done

    def _leave(self) -> None:
        self._lost = True
        self.log.warning("another process has taken over in the middle of a turn, which ends")

    def _measure(self, outcome: str, seconds: float) -> None:
        metrics = self.core.metrics
        metrics.count("armillary_service_turns_total", service=self.name, outcome=outcome)
        metrics.took("armillary_service_turn_seconds", seconds, service=self.name)


async def _ended(turn: asyncio.Future[Done | None]) -> None:
    """Wait for a turn that was told to stop, and cancel it if we are told a second time."""
    try:
        await asyncio.shield(turn)
    except asyncio.CancelledError:
        turn.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await turn
