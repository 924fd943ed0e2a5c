"""A load of every kind: life cycles, workers, task runs, logs, events, leases, subscribers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from tests.soak.asking import SOON, Answer, Asker, Gone, Hung
from tests.soak.ledger import Acknowledged

POOL, LIMIT, TAG = "soak", "soak", "soak"
SLOTS = 3
LEASE = 60.0
"""Seconds: the shortest lease there is."""
_PAUSE = (0.02, 0.15)
_LINES = 20
_EVENTS = 50


class Ended(Exception):
    """The load is to end, and so is who asks."""


class Load:
    """Clients that go on until they are told to end, whatever becomes of the server."""

    def __init__(self, port: int, *, seed: int = 0) -> None:
        self.port = port
        self.ledger = Acknowledged()
        self.chance = random.Random(seed)  # noqa: S311 - the same load every time
        self.flow_id = ""
        self.deployment_id = ""
        self.ending = False
        self.given_up = False
        """Also what has begun need not be ended: the server does not come back."""
        self.live: set[str] = set()
        """Ids of events that subscribers were told of."""
        self._tasks: list[asyncio.Task[None]] = []

    async def prepare(self) -> None:
        """Make what the clients work on."""
        client = Client(self)
        self.flow_id = (await client.ask("POST", "/flows/", {"name": "soak"})).document["id"]
        await client.ask("POST", "/work_pools/", {"name": POOL, "type": "process"})
        await client.ask("POST", "/v2/concurrency_limits/", {"name": LIMIT, "limit": SLOTS})
        await client.ask("POST", "/concurrency_limits/", {"tag": TAG, "concurrency_limit": SLOTS})
        body = {"name": "soak", "flow_id": self.flow_id, "work_pool_name": POOL}
        self.deployment_id = (await client.ask("POST", "/deployments/", body)).document["id"]
        client.close()

    def start(self, kinds: Mapping[Callable[[Load], Client], int]) -> None:
        """Let so many clients of each kind begin."""
        for kind, count in kinds.items():
            for _ in range(count):
                client = kind(self)
                self._tasks.append(asyncio.create_task(client.run_until_ended()))

    async def end(self, *, within: float = 60.0) -> None:
        """Let everybody end what he is at."""
        self.ending = True
        if self._tasks:
            done, late = await asyncio.wait(self._tasks, timeout=within)
            for task in late:
                self.ledger.complain(f"a client was not through {within:g} s after the end")
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            for task in done:
                task.result()

    async def abandon(self) -> None:
        """Stop everybody where he is."""
        self.ending = self.given_up = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Client:
    """Asks as the SDK does: again after a lost answer or a refusal for the moment."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.ledger = load.ledger
        self.chance = load.chance
        self._asker = Asker(load.port)

    def close(self) -> None:
        self._asker.close()

    async def run_until_ended(self) -> None:
        with contextlib.suppress(Ended):
            while not self.load.ending:
                await self.once()
                await asyncio.sleep(0)
        self.close()

    async def once(self) -> None:
        """Do nothing: one of no kind is there to be asked with."""

    def uuid(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    async def pause(self) -> None:
        if self.load.given_up:
            raise Ended
        await asyncio.sleep(self.chance.uniform(*_PAUSE))

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """What is answered at last; a server that is away says so, at once and politely."""
        while True:
            try:
                answer = await self._asker.ask(method, path, body)
            except Gone:
                self.ledger.answers["lost"] += 1
                await self.pause()
                continue
            except Hung as hung:
                self.ledger.complain(str(hung))
                await self.pause()
                continue
            self.ledger.counted(answer.status)
            if answer.status == 503:
                if "retry-after" not in answer.headers:
                    self.ledger.complain(f"the 503 of {path} says not when to ask again")
                await self.pause()
                continue
            if answer.status >= 500:
                self.ledger.complain(f"{method} {path}: {answer.status} {answer.document}")
            if answer.good and method == "POST":
                self.ledger.written()
            return answer

    async def propose(self, path: str, kind: str) -> Any:
        """What the gate says; after a lost answer the same proposal is made again."""
        details = {"transition_id": self.uuid()}
        body = {"state": {"type": kind, "state_details": details}}
        answer = await self.ask("POST", f"{path}/set_state", body)
        if not answer.good:
            self.ledger.complain(f"{path} to {kind}: {answer.status} {answer.document}")
            raise Ended
        return answer.document

    async def flow_run_to(self, run_id: str, kind: str) -> Any:
        told = await self.propose(f"/flow_runs/{run_id}", kind)
        self.ledger.state(run_id, told["state"])
        if told["status"] == "ACCEPT" and kind == "COMPLETED":
            self.ledger.finished[run_id] = kind
        return told


class Script(Client):
    """A flow run from its creation to its end, with task runs under a limit and log lines."""

    async def once(self) -> None:
        body = {
            "flow_id": self.load.flow_id,
            "idempotency_key": self.uuid(),
            "state": {"type": "PENDING", "name": "Pending"},
        }
        run = (await self.ask("POST", "/flow_runs/", body)).document
        self.ledger.flow_runs.add(run["id"])
        await self.flow_run_to(run["id"], "RUNNING")
        if self.chance.random() < 0.3:
            await self._task(run["id"])
        if self.chance.random() < 0.3:
            await self._log(run["id"])
        await self.flow_run_to(run["id"], "COMPLETED")

    async def _task(self, run_id: str) -> None:
        body = {
            "flow_run_id": run_id,
            "task_key": "t",
            "dynamic_key": self.uuid(),
            "tags": [TAG],
        }
        task = (await self.ask("POST", "/task_runs/", body)).document
        path = f"/task_runs/{task['id']}"
        while (await self.propose(path, "RUNNING"))["status"] == "WAIT":
            await self.pause()
        await self.propose(path, "COMPLETED")

    async def _log(self, run_id: str) -> None:
        mark = self.uuid()
        now = datetime.now(UTC).isoformat()
        lines = [
            {"name": "soak", "level": 20, "timestamp": now, "flow_run_id": run_id,
             "message": f"{mark} line {number}"}
            for number in range(_LINES)
        ]  # fmt: skip
        answer = await self.ask("POST", "/logs/", lines)
        if answer.good:
            self.ledger.logs[mark] = _LINES


class Person(Client):
    """Asks for runs of a deployment, no faster than they are executed."""

    async def once(self) -> None:
        body = {"idempotency_key": self.uuid()}
        path = f"/deployments/{self.load.deployment_id}/create_flow_run"
        run = (await self.ask("POST", path, body)).document
        self.ledger.flow_runs.add(run["id"])
        self.ledger.state(run["id"], run["state"])
        await asyncio.sleep(self.chance.uniform(0.02, 0.1))


class Worker(Client):
    """Polls the pool, claims what is offered, and executes what was given to it."""

    async def once(self) -> None:
        before = (datetime.now(UTC) + timedelta(seconds=10)).isoformat()
        path = f"/work_pools/{POOL}/get_scheduled_flow_runs"
        offered = await self.ask("POST", path, {"limit": 5, "scheduled_before": before})
        for entry in offered.document:
            run_id = entry["flow_run"]["id"]
            told = await self.flow_run_to(run_id, "PENDING")
            if told["status"] == "ACCEPT":
                self.ledger.claimed(run_id, told["state"]["id"])
                await self.flow_run_to(run_id, "RUNNING")
                await self.flow_run_to(run_id, "COMPLETED")
        if not offered.document:
            await self.pause()


class Holder(Client):
    """Takes a slot under a lease, renews it, and gives it back."""

    async def once(self) -> None:
        body = {"names": [LIMIT], "slots": 1, "lease_duration": LEASE}
        asked = time.time()
        answer = await self.ask("POST", "/v2/concurrency_limits/increment-with-lease", body)
        if answer.status == 423:
            await self.pause()
            return
        lease = answer.document["lease_id"]
        self.ledger.leases[lease] = asked + LEASE
        if len(self._held()) > SLOTS:
            self.ledger.complain(f"{len(self._held())} leases were given out on {SLOTS} slots")
        await self.pause()
        asked = time.time()
        path = f"/v2/concurrency_limits/leases/{lease}/renew"
        renewed = await self.ask("POST", path, {"lease_duration": LEASE})
        if renewed.good:
            self.ledger.leases[lease] = asked + LEASE
        elif asked < self.ledger.leases[lease]:
            self.ledger.complain(f"lease {lease} was not renewed: {renewed.status}")
        await self.pause()
        del self.ledger.leases[lease]
        body = {"lease_id": lease}
        await self.ask("POST", "/v2/concurrency_limits/decrement-with-lease", body)

    def _held(self) -> list[str]:
        now = time.time()
        return [lease for lease, until in self.ledger.leases.items() if until > now]


class Reader(Client):
    """Lists and reads by id, as pages do."""

    async def once(self) -> None:
        await self.ask("POST", "/flow_runs/filter", {"limit": 20})
        if self.ledger.finished:
            run = next(reversed(self.ledger.finished))
            answer = await self.ask("GET", f"/flow_runs/{run}")
            if answer.status != 200 or answer.document["state_type"] != "COMPLETED":
                self.ledger.complain(f"run {run} was acknowledged and is {answer.status}")
        await self.pause()


class OverSocket(Client, ABC):
    """Keeps a websocket, opened again after it broke."""

    path = ""

    async def once(self) -> None:
        address = f"ws://127.0.0.1:{self.load.port}/api{self.path}"
        try:
            async with connect(
                address, subprotocols=[Subprotocol("prefect")], open_timeout=SOON
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


EVERYBODY: Mapping[Callable[[Load], Client], int] = {
    Script: 16,
    Person: 1,
    Worker: 2,
    Holder: 5,
    Reader: 2,
    Teller: 2,
    Subscriber: 1,
}


async def until(
    look: Callable[[], Awaitable[bool]] | Callable[[], bool], *, within: float
) -> float | None:
    """How long it took to become true; None if it did not."""
    began = time.monotonic()
    while time.monotonic() - began < within:
        seen = look()
        if seen if isinstance(seen, bool) else await seen:
            return time.monotonic() - began
        await asyncio.sleep(0.02)
    return None
