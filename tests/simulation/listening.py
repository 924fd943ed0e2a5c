"""Those who listen: subscribers of /events/out, as the SDK's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from armillary.clock import to_micros
from tests.simulation.clients import Person
from tests.simulation.ledger import AWAKE_EVERY, Heard
from tests.simulation.reporting import authenticated
from tests.simulation.sockets import Closed

_MINUTE = timedelta(minutes=1)
_YEAR = timedelta(days=365)


class Subscriber(Person):
    """Hears of every state of flow runs, and connects again where the line breaks."""

    async def live(self) -> None:
        heard = Heard(self.name, self.place, since=self.micros())
        self.ledger.heard.append(heard)
        awake = self.begin(self._stay_awake(heard))
        await self._listen(heard)
        awake.cancel()

    async def _stay_awake(self, heard: Heard) -> None:
        while True:
            heard.awake(self.elapsed())
            await asyncio.sleep(AWAKE_EVERY)

    async def _listen(self, heard: Heard) -> None:
        since = self.now() - _MINUTE
        failures = 0
        while True:
            try:
                connection = await authenticated(self, f"{self.place.prefix}/events/out")
                await connection.send(self._filter(since))
                heard.connected(self.elapsed())
                failures = 0
                while True:
                    message = msgspec.json.decode(await connection.receive())
                    since = max(since, self._take(heard, message["event"]) - _MINUTE)
            except Closed as closed:
                heard.broken()
                if closed.code is not None and closed.code not in {1000, 1012, 1013}:
                    self.complain(f"the stream was closed: {closed}")
                failures += 1
                if failures > 2:
                    await asyncio.sleep(1)

    def _filter(self, since: datetime) -> str:
        wanted = {
            "occurred": {"since": since.isoformat(), "until": (self.now() + _YEAR).isoformat()},
            "event": {"prefix": ["prefect.flow-run."]},
        }
        return msgspec.json.encode({"type": "filter", "filter": wanted}).decode()

    def _take(self, heard: Heard, event: Any) -> datetime:
        occurred = datetime.fromisoformat(event["occurred"]).astimezone(UTC)
        run = event["resource"]["prefect.resource.id"]
        wrong = heard.event(event["id"], run, to_micros(occurred))
        if wrong is not None:
            self.complain(wrong)
        return occurred
