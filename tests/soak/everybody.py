"""A load of every kind: life cycles, workers, task runs, logs, events, leases, subscribers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from tests.soak.load import LIMIT, POOL, SLOTS, TAG, Client, Ended, Load
from tests.soak.over_socket import Subscriber, Teller

LEASE = 60.0
"""Seconds: the shortest lease there is."""
_LINES = 20


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
        answer = await self.ask("POST", path, body)
        if not answer.good:
            self.ledger.complain(f"{path}: {answer.status} {answer.document}")
            raise Ended
        run = answer.document
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


EVERYBODY: Mapping[Callable[[Load], Client], int] = {
    Script: 16,
    Person: 1,
    Worker: 2,
    Holder: 5,
    Reader: 2,
    Teller: 2,
    Subscriber: 1,
}
