"""What everybody in a load has in common, and its beginning and end."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from tests.soak.asking import Answer, Asker, Gone, Hung
from tests.soak.ledger import Acknowledged

POOL, LIMIT, TAG = "soak", "soak", "soak"
SLOTS = 3
_PAUSE = (0.02, 0.15)


class Ended(Exception):
    """The load is to end, and so is who asks."""


class Load:
    """Clients that go on until they are told to end, whatever becomes of the server."""

    def __init__(self, port: int, *, seed: int = 0) -> None:
        self._port = port
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

    @property
    def port(self) -> int:
        """Where the next connection goes."""
        return self._port

    def asker(self) -> Asker:
        """What a client asks with."""
        return Asker(self.port)

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
        self._asker = load.asker()

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
