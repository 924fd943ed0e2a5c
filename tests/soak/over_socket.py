"""Clients that keep a websocket: some tell of events, others listen to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from tests.soak.asking import SOON
from tests.soak.load import Client, Load

_EVENTS = 50


class OverSocket(Client, ABC):
    """Keeps a websocket, opened again after it broke."""

    path = ""

    async def once(self) -> None:
        address = f"ws://127.0.0.1:{self.load.port}/api{self.path}"
        try:
            # With a limit on what is unread the library reads no more, not even the end.
            async with connect(
                address,
                subprotocols=[Subprotocol("prefect")],
                open_timeout=SOON,
                max_queue=None,
            ) as socket:
                await socket.send(json.dumps({"type": "auth", "token": None}))
                await socket.recv()
                await self.talk(socket)
        except (OSError, ConnectionClosed, InvalidHandshake, EOFError):
            self.ledger.answers["socket lost"] += 1
            await self.pause()

    @abstractmethod
    async def talk(self, socket: ClientConnection) -> None:
        """Say and hear what there is, until the end."""


class Teller(OverSocket):
    """Sends events, and forgets them once a pong has confirmed them."""

    path = "/events/in"

    def __init__(self, load: Load) -> None:
        super().__init__(load)
        self._unsure: list[dict[str, Any]] = []

    async def talk(self, socket: ClientConnection) -> None:
        while not self.load.ending:
            self._unsure = self._unsure or [self._event() for _ in range(_EVENTS)]
            self.ledger.sent.update(event["id"] for event in self._unsure)
            for event in self._unsure:
                await socket.send(json.dumps(event))
            await (await socket.ping())
            self.ledger.events.update(event["id"] for event in self._unsure)
            self.ledger.written()
            self._unsure = []
            await self.pause()

    def _event(self) -> dict[str, Any]:
        return {
            "id": self.uuid(),
            "occurred": datetime.now(UTC).isoformat(),
            "event": "soak.told",
            "resource": {"prefect.resource.id": f"soak.{self.chance.randrange(100)}"},
            "payload": {"text": "x" * 200},
        }


class Subscriber(OverSocket):
    """Listens to live events."""

    path = "/events/out"

    async def talk(self, socket: ClientConnection) -> None:
        occurred = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
        wanted = {"event": {"prefix": ["soak."]}, "occurred": occurred}
        await socket.send(json.dumps({"type": "filter", "filter": wanted, "backfill": False}))
        while not self.load.ending:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    told = json.loads(await socket.recv())
                    self.load.live.add(told["event"]["id"])
