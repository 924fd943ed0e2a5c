"""What every client does: it asks, asks again after a lost answer, and notes what it was told."""

from __future__ import annotations

import asyncio
import random
import traceback
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from datetime import datetime
from typing import Any
from uuid import UUID

from armillary.clock import to_micros
from tests.simulation.ledger import Ledger
from tests.simulation.network import Answer, Lost, Network
from tests.simulation.places import Place
from tests.simulation.timeline import SimulatedClock

_TRIES = 6
_AGAIN = frozenset({408, 429, 502, 503})
_ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED"})


class GaveUp(Exception):
    """A client that has tried often enough, or whose object is gone."""


class Client:
    """Asks as the SDK does: again after a lost answer or a refusal for the moment."""

    def __init__(self, name: str, network: Network, ledger: Ledger, chance: random.Random) -> None:
        self.name = name
        self.network = network
        self.ledger = ledger
        self.chance = chance
        self.clock = SimulatedClock(network.server.loop)
        self._begun: set[asyncio.Task[None]] = set()
        """Collected as garbage, once it was killed, what it began would run its `finally`."""

    @property
    def place(self) -> Place:
        """Whose API it asks."""
        return self.network.place

    def now(self) -> datetime:
        return self.clock.now()

    def micros(self) -> int:
        return to_micros(self.clock.now())

    def elapsed(self) -> float:
        return self.network.server.loop.elapsed

    def uuid(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside."""
        task = asyncio.ensure_future(work)
        self._begun.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._begun.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(error)

    def failed(self, error: BaseException) -> None:
        """Say that something in it failed."""
        self.complain("".join(traceback.format_exception(error)))

    async def ask(self, method: str, path: str, body: Any = None, *, tries: int = _TRIES) -> Answer:
        """Ask until there is an answer; GaveUp without one."""
        for attempt in range(tries):
            try:
                answer = await self.network.call(method, self.place.prefix + path, body)
            except Lost:
                await asyncio.sleep(2.0**attempt * self.chance.uniform(0.5, 1.5))
                continue
            if answer.status >= 500 and answer.status not in _AGAIN:
                self.complain(f"{method} {path} was answered {answer.status}: {answer.document}")
            if answer.status not in _AGAIN:
                return answer
            again = answer.again or 2.0**attempt
            await asyncio.sleep(again * self.chance.uniform(1, 1.3))
        raise GaveUp

    async def get(self, path: str) -> Any:
        """Read a document; GaveUp if it is not there."""
        return self._made(await self.ask("GET", path))

    async def make(self, path: str, body: Any) -> Any:
        """Make something, or find it there; GaveUp if that is refused."""
        return self._made(await self.ask("POST", path, body))

    def _made(self, answer: Answer) -> Any:
        if answer.status not in {200, 201, 204}:
            raise GaveUp
        return answer.document

    async def propose(self, run_id: str, kind: str, *, force: bool = False, **more: Any) -> Any:
        """What the gate says to a state; the SDK gives each proposal an id of its own."""
        details = {"transition_id": self.uuid(), **more.pop("state_details", {})}
        body = {"state": {"type": kind, "state_details": details, **more}, "force": force}
        status, answer, _ = await self.ask("POST", f"/flow_runs/{run_id}/set_state", body)
        if status == 404:
            raise GaveUp
        if status not in {200, 201}:
            self.complain(f"set_state {kind} was answered {status}: {answer}")
            raise GaveUp
        self.ledger.state(run_id, answer["state"])
        if answer["status"] == "ACCEPT" and kind in _ENDED:
            self.ledger.finished[run_id] = kind
        return answer

    def complain(self, what: str) -> None:
        """Say what was seen that must not be."""
        self.ledger.wrong.append(f"{self.name}: {what}")


class Person(Client, ABC):
    """A client that lives until it is killed."""

    async def run(self) -> None:
        """Live; a client that fails is a simulation that is wrong."""
        try:
            await self.live()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must be seen
            self.failed(error)

    @abstractmethod
    async def live(self) -> None:
        """What it does all its life."""
