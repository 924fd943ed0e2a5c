"""Clients that behave as the SDK, a worker and an impatient person do."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.simulation.ledger import Ledger
from tests.simulation.network import Lost, Network

_TRIES = 6
_AGAIN = frozenset({429, 502, 503})
_POLL = 10.0
_PREFETCH = timedelta(seconds=10)
_ENDS = ("COMPLETED", "COMPLETED", "COMPLETED", "FAILED", "CRASHED")


class GaveUp(Exception):
    """A client that has tried often enough."""


class Client:
    """Asks as the SDK does: again after a lost answer or a refusal for the moment."""

    def __init__(self, name: str, network: Network, ledger: Ledger, chance: random.Random) -> None:
        self.name = name
        self.network = network
        self.ledger = ledger
        self.chance = chance

    def now(self) -> datetime:
        return self.network.server.clock.now()

    def uuid(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        for attempt in range(_TRIES):
            try:
                status, document = await self.network.call(method, f"/api{path}", body)
            except Lost:
                await asyncio.sleep(2.0**attempt * self.chance.uniform(0.5, 1.5))
                continue
            if status >= 500 and status not in _AGAIN:
                self.ledger.wrong.append(f"{method} {path} was answered {status}: {document}")
            if status not in _AGAIN:
                return status, document
            await asyncio.sleep(2.0**attempt * self.chance.uniform(0.5, 1.5))
        raise GaveUp

    async def propose(self, run_id: str, kind: str, **more: Any) -> Any:
        """What the gate says to a state; the SDK gives each proposal an id of its own."""
        details = {"transition_id": self.uuid(), **more.pop("state_details", {})}
        body = {"state": {"type": kind, "state_details": details, **more}, "force": False}
        status, answer = await self.ask("POST", f"/flow_runs/{run_id}/set_state", body)
        if status == 404:
            raise GaveUp
        if status not in {200, 201}:
            self.ledger.wrong.append(f"set_state {kind} was answered {status}: {answer}")
            raise GaveUp
        self.ledger.state(run_id, answer["state"])
        if answer["status"] == "ACCEPT" and kind in {"COMPLETED", "FAILED", "CRASHED"}:
            self.ledger.finished[run_id] = kind
        return answer

    async def execute(self, run_id: str) -> None:
        """What the engine does in the process of a run."""
        with contextlib.suppress(GaveUp):
            await self._execute(run_id)

    async def _execute(self, run_id: str) -> None:
        answer = await self.propose(run_id, "RUNNING")
        while answer["status"] == "WAIT":
            await asyncio.sleep(answer["details"]["delay_seconds"])
            answer = await self.propose(run_id, "RUNNING")
        while answer["status"] != "ABORT" and answer["state"] is not None:
            if answer["state"]["type"] != "RUNNING":
                return
            await self._tasks(run_id)
            end = self.chance.choice(_ENDS)
            answer = await self.propose(run_id, end)
            state = answer["state"]
            if answer["status"] != "REJECT" or state is None or state["type"] != "SCHEDULED":
                return
            await asyncio.sleep(5)
            answer = await self.propose(run_id, "RUNNING")

    async def _tasks(self, run_id: str) -> None:
        for place in range(self.chance.randrange(3)):
            body = {
                "flow_run_id": run_id,
                "task_key": f"t{place}",
                "dynamic_key": str(place),
                "tags": ["db"] if self.chance.random() < 0.5 else [],
            }
            _, task = await self.ask("POST", "/task_runs/", body)
            if "id" not in task:
                continue
            for kind in ("RUNNING", "COMPLETED"):
                state = {"state": {"type": kind}}
                path = f"/task_runs/{task['id']}/set_state"
                _, answer = await self.ask("POST", path, state)
                while answer.get("status") == "WAIT":
                    await asyncio.sleep(answer["details"]["delay_seconds"])
                    _, answer = await self.ask("POST", path, state)
                await asyncio.sleep(self.chance.uniform(0.1, 4))


class Script(Client):
    """`python my_flow.py`, now and then."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 60))
            try:
                await self.once()
            except GaveUp:
                continue

    async def once(self) -> None:
        _, flow = await self.ask("POST", "/flows/", {"name": f"flow of {self.name}"})
        policy = {"retries": self.chance.randrange(2), "retry_delay": 3}
        body = {"flow_id": flow["id"], "state": {"type": "PENDING"}, "empirical_policy": policy}
        status, run = await self.ask("POST", "/flow_runs/", body)
        if status != 201:
            self.ledger.wrong.append(f"a flow run was not made: {status} {run}")
            return
        self.ledger.flow_runs.add(run["id"])
        self.ledger.state(run["id"], run["state"])
        await self.execute(run["id"])


class Worker(Client):
    """Polls a pool, claims what it is offered, and executes it."""

    def __init__(self, name: str, pool: str, *more: Any) -> None:
        super().__init__(name, *more)
        self.pool = pool
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        while True:
            with contextlib.suppress(GaveUp):
                await self._turn()
            await asyncio.sleep(_POLL * self.chance.uniform(0.9, 1.1))

    async def _turn(self) -> None:
        await self.ask("POST", f"/work_pools/{self.pool}/workers/heartbeat", {"name": self.name})
        status, offered = await self.ask(
            "POST", f"/work_pools/{self.pool}/get_scheduled_flow_runs",
            {"limit": 10, "scheduled_before": (self.now() + _PREFETCH).isoformat()},
        )  # fmt: skip
        for entry in offered if status == 200 else ():
            run_id = entry["flow_run"]["id"]
            answer = await self.propose(run_id, "PENDING")
            if answer["status"] == "ACCEPT" and answer["state"]["type"] == "PENDING":
                self.ledger.claimed(run_id, answer["state"]["id"])
                task = asyncio.ensure_future(self.execute(run_id))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)


class Editor(Client):
    """Makes deployments, asks for runs, cancels and deletes some, and changes limits."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 120))
            try:
                await self.chance.choice(
                    (self._deploy, self._order, self._order, self._cancel, self._limit)
                )()
            except GaveUp:
                continue

    async def _deploy(self) -> None:
        _, flow = await self.ask("POST", "/flows/", {"name": "deployed"})
        name = f"d{self.chance.randrange(4)}"
        schedule = self.chance.choice(
            ({"cron": "*/5 * * * *", "timezone": "Europe/Berlin"}, {"interval": 400}, None)
        )
        body = {
            "name": name, "flow_id": flow["id"], "work_pool_name": "pool",
            "schedules": [] if schedule is None else [{"schedule": schedule, "active": True}],
            "concurrency_limit": self.chance.choice((None, 1, 2)),
        }  # fmt: skip
        status, deployment = await self.ask("POST", "/deployments/", body)
        if status in {200, 201}:
            self.ledger.deployments[deployment["id"]] = deployment

    async def _order(self) -> None:
        if not self.ledger.deployments:
            return
        deployment = self.chance.choice(sorted(self.ledger.deployments))
        body = {"idempotency_key": self.uuid()}
        path = f"/deployments/{deployment}/create_flow_run"
        status, run = await self.ask("POST", path, body)
        if status in {200, 201}:
            self.ledger.flow_runs.add(run["id"])
            self.ledger.state(run["id"], run["state"])

    async def _cancel(self) -> None:
        if self.ledger.flow_runs:
            run_id = self.chance.choice(sorted(self.ledger.flow_runs))
            await self.propose(run_id, "CANCELLING")

    async def _limit(self) -> None:
        body = {"tag": "db", "concurrency_limit": self.chance.choice((1, 2, 3))}
        await self.ask("POST", "/concurrency_limits/", body)
