"""Events as the SDK sends them: kept until a pong says that they are durable, and sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from armillary.clock import from_micros
from tests.simulation.clients import Client, GaveUp
from tests.simulation.ledger import Reported
from tests.simulation.sockets import Closed, Connection

_ATTEMPTS = 10
_CHECK_EVERY = 30.0
_encode = msgspec.json.Encoder().encode


class Reporter:
    """The events client of one process: in order, one connection, checkpoints by ping."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._checkpoint_every = client.chance.choice((1, 5, 700))
        self._connection: Connection | None = None
        self._unconfirmed: list[dict[str, Any]] = []
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def put(self, event: dict[str, Any]) -> None:
        """Have an event sent."""
        if not self._tasks:
            self._tasks = [
                self._client.begin(self._send_all()),
                self._client.begin(self._check_all()),
            ]
        self._waiting.put_nowait(event)

    async def _send_all(self) -> None:
        while True:
            event = await self._waiting.get()
            try:
                await self._emit(event)
            except GaveUp:
                continue

    async def _check_all(self) -> None:
        """Ask now and then how far the server is, and connect anew where it does not say."""
        while True:
            await asyncio.sleep(_CHECK_EVERY)
            try:
                if self._unconfirmed and self._connection is not None:
                    await self._checkpoint(self._connection)
            except Closed:
                self._connection = None

    async def _emit(self, event: dict[str, Any]) -> None:
        self._unconfirmed.append(event)
        for attempt in range(_ATTEMPTS + 1):
            try:
                if self._connection is None or attempt:
                    await self._connect()
                connection = self._connection
                if connection is None:
                    continue
                await connection.send(_encode(event).decode())
                if len(self._unconfirmed) >= self._checkpoint_every:
                    await self._checkpoint(connection)
            except Closed:
                if attempt > 2:
                    await asyncio.sleep(1)
                continue
            return
        raise GaveUp

    async def _connect(self) -> None:
        """Connect, and send again whatever is not known to be durable."""
        if self._connection is not None:
            self._connection.leave()
            self._connection = None
        path = f"{self._client.place.prefix}/events/in"
        connection = await authenticated(self._client, path)
        for event in list(self._unconfirmed):
            await connection.send(_encode(event).decode())
        self._connection = connection

    async def _checkpoint(self, connection: Connection) -> None:
        """A pong means that everything sent before its ping is durable."""
        sent = [event["id"] for event in self._unconfirmed]
        await connection.ping()
        self._client.ledger.durable.update(sent)
        if self._connection is connection:
            kept = set(sent)
            self._unconfirmed = [one for one in self._unconfirmed if one["id"] not in kept]


async def authenticated(client: Client, path: str) -> Connection:
    """Open a websocket as the SDK does: ping, then say who you are; Closed if that fails."""
    connection = await client.network.connect(path)
    await connection.ping()
    await connection.send('{"type":"auth","token":null}')
    answer = msgspec.json.decode(await connection.receive())
    if answer != {"type": "auth_success"}:
        client.complain(f"{path} answered the handshake by {answer}")
    return connection


class TaskRun:
    """A task run as its process tells of it, one event for each state."""

    def __init__(self, client: Client, flow_run_id: str, key: int) -> None:
        self._client = client
        self._flow_run_id = flow_run_id
        self._key = key
        self._id = client.uuid()
        self._last: dict[str, Any] | None = None
        self._runs = 0
        self._occurred = 0

    def event(self, kind: str) -> dict[str, Any]:
        """The event of its next state; noted as one that was begun to be sent."""
        client, event_id = self._client, self._client.uuid()
        self._occurred = max(client.micros(), self._occurred + 1)
        self._runs += kind == "RUNNING"
        state: dict[str, Any] = {
            "type": kind, "name": kind.title(), "message": "", "state_details": {}, "data": None,
        }  # fmt: skip
        event = {
            "id": event_id,
            "occurred": from_micros(self._occurred).isoformat(),
            "event": f"prefect.task-run.{state['name']}",
            "resource": {
                "prefect.resource.id": f"prefect.task-run.{self._id}",
                "prefect.resource.name": f"t{self._key}",
                "prefect.state-type": kind,
                "prefect.state-name": state["name"],
                "prefect.run-count": str(self._runs),
                "prefect.orchestration": "client",
            },
            "related": [
                {
                    "prefect.resource.id": f"prefect.flow-run.{self._flow_run_id}",
                    "prefect.resource.role": "flow-run",
                }
            ],
            "payload": {
                "intended": {"from": None, "to": kind},
                "initial_state": None,
                "validated_state": state,
                "task_run": {
                    "name": f"t{self._key}", "task_key": f"reported{self._key}",
                    "dynamic_key": str(self._key), "run_count": self._runs,
                    "empirical_policy": {}, "tags": [], "labels": {},
                },
            },
            "follows": self._last and self._last["id"],
        }  # fmt: skip
        self._last = event
        client.ledger.reported[event_id] = Reported(
            event_id, client.place, self._flow_run_id, self._id, self._occurred, kind, self._runs
        )
        return event


async def post(client: Client, events: Sequence[dict[str, Any]]) -> None:
    """Send events in one request: the answer means that they are durable."""
    answer = await client.ask("POST", "/events", list(events))
    if answer.status == 204:
        client.ledger.durable.update(event["id"] for event in events)
    else:
        client.complain(f"POST /events was answered {answer.status}: {answer.document}")
