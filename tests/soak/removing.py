"""Clients whose wishes become jobs: much is deleted, and runs are cancelled that nobody ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.soak.load import Client, Load

LINES = 1000
"""Of a batch."""
_BATCHES = 12
"""More than goes with the answer: the job takes a good part of a second."""
_RUNS = 15


@dataclass
class Wishes:
    """What was answered with a 2xx, and must have come true in the end."""

    deleted: set[str] = field(default_factory=set)
    """Paths of what was deleted, and of the runs below it."""
    cancelled: set[str] = field(default_factory=set)
    kept: dict[str, int] = field(default_factory=dict)
    """Runs that nobody deletes, and how many lines each has."""


class Removals(Load):
    """A load of deletions and cancellations."""

    def __init__(self, port: int, *, seed: int) -> None:
        super().__init__(port, seed=seed)
        self.wishes = Wishes()

    async def prepare(self) -> None:
        await super().prepare()
        keeper = Remover(self)
        run = await keeper.run_of(self.flow_id)
        await keeper.say(run)
        self.wishes.kept[run] = LINES
        keeper.close()


class Remover(Client):
    """Makes a flow with a deployment, runs and lines, and deletes one of them."""

    load: Removals

    async def once(self) -> None:
        flow = (await self.ask("POST", "/flows/", {"name": self.uuid()})).document["id"]
        body = {"name": "d", "flow_id": flow}
        deployment = (await self.ask("POST", "/deployments/", body)).document["id"]
        path = f"/deployments/{deployment}/create_flow_run"
        runs = [await self.run_of(flow)]
        for _ in range(_RUNS):
            made = await self.ask("POST", path, {"idempotency_key": self.uuid()})
            runs.append(made.document["id"])
        for _ in range(_BATCHES):
            await self.say(runs[0])
        below = [f"/flow_runs/{run}" for run in runs]
        things = {
            f"/flows/{flow}": [f"/deployments/{deployment}", *below],
            f"/deployments/{deployment}": below[1:],
            below[0]: [],
        }
        await self._delete(self.chance.choice(list(things)), things)

    async def _delete(self, path: str, things: dict[str, list[str]]) -> None:
        answer = await self.ask("DELETE", path)
        if answer.status not in {204, 404}:  # 404 once the answer to the first time was lost
            self.ledger.complain(f"DELETE {path}: {answer.status} {answer.document}")
        gone = [path, *things[path]]
        self.load.wishes.deleted.update(gone)
        for each in (gone[0], gone[-1]):
            if (await self.ask("GET", each)).status != 404:
                self.ledger.complain(f"{each} can be seen, and {path} was deleted")

    async def run_of(self, flow: str) -> str:
        """A run of a flow."""
        body = {"flow_id": flow, "idempotency_key": self.uuid(), "tags": ["soak"]}
        return str((await self.ask("POST", "/flow_runs/", body)).document["id"])

    async def say(self, run: str) -> None:
        """Many lines of a run."""
        now = datetime.now(UTC).isoformat()
        lines: list[Any] = [
            {"name": "soak", "level": 20, "timestamp": now, "flow_run_id": run,
             "message": f"{self.uuid()}"}
            for _ in range(LINES)
        ]  # fmt: skip
        answer = await self.ask("POST", "/logs/", lines)
        if not answer.good:
            self.ledger.complain(f"lines of run {run}: {answer.status} {answer.document}")


class Canceller(Remover):
    """Lets a run be cancelled that nobody looks after: a job has to end it."""

    async def once(self) -> None:
        run = await self.run_of(self.load.flow_id)
        self.ledger.flow_runs.add(run)
        for kind in ("PENDING", "RUNNING", "CANCELLING"):
            await self.flow_run_to(run, kind)
        self.load.wishes.cancelled.add(run)
        await asyncio.sleep(self.chance.uniform(0.1, 0.5))
