"""Those who execute runs: scripts, workers of a pool, and runners that serve a deployment."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from datetime import timedelta
from typing import Any

from tests.simulation.clients import GaveUp, Person
from tests.simulation.executing import Execution
from tests.simulation.reporting import Reporter

POOL = "pool"
SERVED = "served"
"""The deployment that runners serve; it has no pool."""
_POLL = 10.0
_PREFETCH = timedelta(seconds=10)


class Script(Person):
    """`python my_flow.py`, now and then."""

    async def live(self) -> None:
        reporter = Reporter(self)
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 30))
            with contextlib.suppress(GaveUp):
                await self._once(reporter)

    async def _once(self, reporter: Reporter) -> None:
        flow = await self.make("/flows/", {"name": f"flow of {self.name.split()[0]}"})
        policy = {"retries": self.chance.randrange(2), "retry_delay": 3}
        body = {"flow_id": flow["id"], "state": {"type": "PENDING"}, "empirical_policy": policy}
        answer = await self.ask("POST", "/flow_runs/", body)
        if answer.status != 201:
            self.complain(f"a flow run was not made: {answer.status} {answer.document}")
            return
        self.ledger.run(answer.document, self.place)
        await Execution(self, reporter, answer.document["id"], None).run()


class _Puller(Person):
    """Asks for runs, claims them and executes them."""

    def __init__(self, *more: Any) -> None:
        super().__init__(*more)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._reporter = Reporter(self)

    async def live(self) -> None:
        while True:
            with contextlib.suppress(GaveUp):
                await self.turn()
            await asyncio.sleep(_POLL * self.chance.uniform(0.9, 1.1))

    @abstractmethod
    async def turn(self) -> None:
        """Look once."""

    async def take(self, run: Any) -> None:
        """Claim a run that was offered, unless it is under way here; begin it if it is ours."""
        run_id = run["id"]
        if run_id in self._under_way:
            return
        if self.ledger.flow_runs.get(run_id, self.place) != self.place:
            self.complain(f"run {run_id} of another workspace was offered")
        since = self.elapsed()
        answer = await self.propose(run_id, "PENDING")
        state = answer["state"]
        # As in the SDK, a repeated claim that was refused for being one is ours as well.
        if answer["status"] in {"ABORT", "WAIT"} or state is None or state["type"] != "PENDING":
            return
        self.ledger.claimed(run_id, state["id"])
        limit = f"deployment:{run['deployment_id']}" if run["deployment_id"] else None
        execution = Execution(self, self._reporter, run_id, limit)
        execution.take_slot(state, since)
        task = self.begin(self._execute(run_id, execution))
        self._under_way[run_id] = task
        task.add_done_callback(lambda _: self._under_way.pop(run_id, None))

    async def _execute(self, run_id: str, execution: Execution) -> None:
        with contextlib.suppress(GaveUp):
            if self.chance.random() < 0.5:
                name = self.chance.choice(("Submitting", "InfrastructurePending"))
                answer = await self.propose(run_id, "PENDING", name=name)
                if answer["status"] == "ABORT":
                    self.ledger.disbelieve(run_id)
                    return
            await self.ask("PATCH", f"/flow_runs/{run_id}", {"infrastructure_pid": self.name})
            await asyncio.sleep(self.chance.expovariate(1 / 5))
            await execution.run()


class Worker(_Puller):
    """Polls a pool, as a worker of the type process does."""

    async def turn(self) -> None:
        await self.ask("POST", f"/work_pools/{POOL}/workers/heartbeat", {"name": self.name})
        before = (self.now() + _PREFETCH).isoformat()
        answer = await self.ask(
            "POST", f"/work_pools/{POOL}/get_scheduled_flow_runs",
            {"limit": 10, "scheduled_before": before},
        )  # fmt: skip
        if answer.status == 200:
            for entry in answer.document:
                with contextlib.suppress(GaveUp):
                    await self.take(entry["flow_run"])


class Runner(_Puller):
    """One of several processes that serve the same deployment."""

    async def turn(self) -> None:
        found = [
            deployment_id
            for deployment_id, name in sorted(self.ledger.names.items())
            if name == (self.place, SERVED)
        ]
        if not found:
            return
        before = (self.now() + _PREFETCH).isoformat()
        answer = await self.ask(
            "POST", "/deployments/get_scheduled_flow_runs",
            {"deployment_ids": found, "scheduled_before": before, "limit": 10},
        )  # fmt: skip
        if answer.status == 200:
            for run in answer.document:
                with contextlib.suppress(GaveUp):
                    await self.take(run)
