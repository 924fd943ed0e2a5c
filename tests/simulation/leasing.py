"""Slots as `concurrency()` of the SDK takes them: under a lease that is renewed while it lasts."""

from __future__ import annotations

import asyncio
import contextlib

from tests.simulation.clients import Client, GaveUp, Person
from tests.simulation.ledger import Belief

NAMES = ("one", "two")
"""The limits that people share: as many slots as the word says."""
_LIMITS = "/v2/concurrency_limits"
_RENEWED_AT = 0.75
_ATTEMPTS = 3


async def keep(client: Client, key: str, lease_id: str, seconds: float) -> None:
    """Renew a lease at once and whenever three quarters of it are over; ends when it is lost."""
    while True:
        if not await _renewed(client, key, lease_id, seconds):
            client.ledger.disbelieve(key)
            return
        await asyncio.sleep(seconds * _RENEWED_AT)


async def _renewed(client: Client, key: str, lease_id: str, seconds: float) -> bool:
    for attempt in range(_ATTEMPTS):
        since = client.elapsed()
        with contextlib.suppress(GaveUp):
            answer = await client.ask(
                "POST", f"{_LIMITS}/leases/{lease_id}/renew", {"lease_duration": seconds}
            )
            if answer.status == 204:
                client.ledger.prolong(key, since + seconds)
                return True
            if answer.status == 410:
                client.ledger.taken_back(lease_id, seconds)
            else:
                client.complain(f"a renewal was answered {answer.status}: {answer.document}")
        await asyncio.sleep(2.0**attempt)
    return False


class Holder(Person):
    """Takes slots, works for a while, gives them back, and begins again."""

    async def live(self) -> None:
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 60))
            with contextlib.suppress(GaveUp):
                await self._hold()

    async def _hold(self) -> None:
        names = self.chance.choice((["one"], ["two"], ["one", "two"], ["nobody"]))
        slots = 2 if names == ["two"] and self.chance.random() < 0.3 else 1
        seconds = self.chance.choice((60.0, 60.0, 300.0))
        body = {"names": names, "slots": slots, "lease_duration": seconds, "mode": "concurrency"}
        while True:
            since = self.elapsed()
            answer = await self.ask("POST", f"{_LIMITS}/increment-with-lease", body)
            if answer.status != 423:
                break
            if answer.again is None:
                self.complain("a 423 does not say when to ask again")
            await asyncio.sleep((answer.again or 1) + self.chance.expovariate(1 / 10))
        if answer.status != 200:
            self.complain(f"slots of {names} were answered {answer.status}: {answer.document}")
            return
        lease_id = answer.document["lease_id"]
        limits = tuple((self.place.key, each["name"]) for each in answer.document["limits"])
        self.ledger.believe(lease_id, Belief(limits, slots, since + seconds), self.elapsed())
        keeping = self.begin(keep(self, lease_id, lease_id, seconds))
        await asyncio.sleep(self.chance.expovariate(1 / 60))
        keeping.cancel()
        self.ledger.disbelieve(lease_id)
        await self.make(f"{_LIMITS}/decrement-with-lease", {"lease_id": lease_id})
