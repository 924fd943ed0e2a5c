"""What happens in the process of a flow run: its states, its tasks, its pauses, its slot."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

from tests.simulation.clients import Client, GaveUp
from tests.simulation.leasing import keep
from tests.simulation.ledger import Belief
from tests.simulation.reporting import Reporter, TaskRun, post
from tests.simulation.timeline import here

_ENDS = ("COMPLETED", "COMPLETED", "COMPLETED", "FAILED", "CRASHED")
_POLL = 10.0
_LEASE = 300.0


class Execution:
    """One process that runs a flow, as the engine does."""

    def __init__(
        self,
        client: Client,
        reporter: Reporter,
        run_id: str,
        limit: str | None,
        *,
        is_sub: bool = False,
    ) -> None:
        self._is_sub = is_sub
        self._client = client
        self._reporter = reporter
        self._run_id = run_id
        self._limit = limit
        """The limit that its deployment may have."""
        self._keeping: asyncio.Task[None] | None = None
        self._held_back: list[dict[str, Any]] = []
        self._pauses = 0

    def take_slot(self, state: Any, since: float) -> None:
        """Note that the run has a slot of its deployment, asked for at ``since``."""
        client = self._client
        lease = state["state_details"]["deployment_concurrency_lease_id"]
        if lease is None or self._limit is None or self._run_id in client.ledger.called_off:
            return
        belief = Belief(((client.place.key, self._limit),), 1, since + _LEASE)
        client.ledger.believe(self._run_id, belief, client.elapsed())

    async def run(self) -> None:
        """Run to the end, or until the slot is lost, or nothing answers any more."""
        client, process = self._client, here()
        other = client.ledger.executing.get(self._run_id)
        if other is not None and other.alive:
            client.complain(f"run {self._run_id} is executed twice")
        if process is not None:
            client.ledger.executing[self._run_id] = process
        working = asyncio.ensure_future(self._work())
        self._working = working
        with contextlib.suppress(GaveUp, asyncio.CancelledError):
            await working
        await self._let_go()
        if client.ledger.executing.get(self._run_id) is process:
            del client.ledger.executing[self._run_id]

    async def _let_go(self) -> None:
        """Stop renewing; a process that lost its slot says that it crashed."""
        self._client.ledger.disbelieve(self._run_id)
        keeping, self._keeping = self._keeping, None
        if self._working.cancelled():
            with contextlib.suppress(GaveUp):
                await self._client.propose(self._run_id, "CRASHED", force=True)
        elif keeping is not None:
            keeping.cancel()
        if self._held_back:
            with contextlib.suppress(GaveUp):
                await post(self._client, self._client.chance.sample(
                    self._held_back, len(self._held_back)))  # fmt: skip

    async def _work(self) -> None:
        if self._limit is not None:
            await self._bring_policy()
        answer = await self._start()
        while answer["state"] is not None and answer["state"]["type"] == "RUNNING":
            await self._tasks()
            if self._client.chance.random() < 0.15 and not await self._pause():
                return
            answer = await self._end()

    async def _bring_policy(self) -> None:
        """Write what the code says of retries over what the run has, as it was read."""
        client = self._client
        run = await client.get(f"/flow_runs/{self._run_id}")
        policy = {**run["empirical_policy"], "retries": 1, "retry_delay": 20}
        await client.ask("PATCH", f"/flow_runs/{self._run_id}", {"empirical_policy": policy})

    async def _start(self) -> Any:
        """Ask to run until the time has come."""
        client = self._client
        while True:
            since = client.elapsed()
            answer = await client.propose(self._run_id, "RUNNING")
            if answer["status"] == "ABORT":
                raise GaveUp
            if answer["status"] != "WAIT":
                break
            await asyncio.sleep(answer["details"]["delay_seconds"])
        state = answer["state"]
        if state["type"] == "RUNNING":
            lease = state["state_details"]["deployment_concurrency_lease_id"]
            if lease is not None and self._keeping is None:  # a retry does not put the end off
                self.take_slot(state, since)
                self._keeping = client.begin(keep(client, self._run_id, lease, _LEASE))
                self._keeping.add_done_callback(self._lost)
        return answer

    def _lost(self, keeping: asyncio.Task[None]) -> None:
        """The lease is gone: what runs under it is cancelled."""
        if not keeping.cancelled() and self._keeping is keeping:
            self._working.cancel()

    async def _end(self) -> Any:
        """Propose an end; what is retried goes on in this process, with the slot it has."""
        client = self._client
        belief = client.ledger.beliefs.pop(self._run_id, None)
        end = client.chance.choice(_ENDS)
        answer = await client.propose(self._run_id, end)
        state = answer["state"]
        if answer["status"] != "REJECT" or state is None:
            raise GaveUp
        if state["type"] == "CANCELLING" and client.chance.random() < 0.7:
            await client.propose(self._run_id, "CANCELLED", force=True)
        if state["type"] != "SCHEDULED":
            raise GaveUp
        if belief is not None and self._run_id not in client.ledger.called_off:
            client.ledger.believe(self._run_id, belief, client.elapsed())
        return await self._start()

    async def _pause(self) -> bool:
        """Pause, and wait or go; True once the run runs on."""
        client = self._client
        self._pauses += 1
        suspend = client.chance.random() < 0.5
        seconds = client.chance.uniform(20, 400)
        details = {
            "pause_timeout": (client.now() + timedelta(seconds=seconds)).timestamp(),
            "pause_reschedule": suspend,
            "pause_key": str(self._pauses),
        }
        belief = client.ledger.beliefs.pop(self._run_id, None)
        name = "Suspended" if suspend else "Paused"
        answer = await client.propose(self._run_id, "PAUSED", name=name, state_details=details)
        state = answer["state"]
        if suspend and state["type"] == "PAUSED":  # though refused, as one that was asked again is
            return False
        gives_up = client.elapsed() + seconds
        while state["type"] == "PAUSED" and client.elapsed() < gives_up:
            await asyncio.sleep(_POLL)
            state = (await client.get(f"/flow_runs/{self._run_id}"))["state"]
        if state["type"] == "RUNNING" and belief and self._run_id not in client.ledger.called_off:
            client.ledger.believe(self._run_id, belief, client.elapsed())
        if state["type"] == "PAUSED":
            await client.propose(self._run_id, "FAILED")
        return state["type"] == "RUNNING"

    async def _tasks(self) -> None:
        chance = self._client.chance
        await asyncio.sleep(chance.expovariate(1 / 10))
        if chance.random() < 0.3:
            await self._log()
        for place in range(chance.randrange(3)):
            if not self._is_sub and chance.random() < 0.1:
                await self._subflow(place)
            elif chance.random() < 0.6:
                await self._reported(place)
            else:
                await self._asked(place)

    async def _subflow(self, place: int) -> None:
        """A flow called by a flow: a task run stands for it, and shows its states."""
        client = self._client
        tracking = await client.make(
            "/task_runs/",
            {
                "flow_run_id": self._run_id,
                "task_key": f"sub{place}",
                "dynamic_key": str(place),
                "state": {"type": "PENDING"},
            },
        )
        flow = await client.make("/flows/", {"name": "called"})
        body = {"flow_id": flow["id"], "parent_task_run_id": tracking["id"]}
        run = await client.make("/flow_runs/", {**body, "state": {"type": "PENDING"}})
        client.ledger.run(run, client.place)
        client.ledger.standing[run["id"]] = tracking["id"]
        await Execution(client, self._reporter, run["id"], None, is_sub=True).run()

    async def _log(self) -> None:
        """Send lines, as the handler of the SDK does, in batches."""
        client = self._client
        lines = [
            {
                "name": "prefect.flow_runs", "level": 20, "message": client.uuid(),
                "timestamp": client.now().isoformat(), "flow_run_id": self._run_id,
            }
            for _ in range(client.chance.randrange(1, 4))
        ]  # fmt: skip
        answer = await client.ask("POST", "/logs/", lines)
        if answer.status == 201:
            client.ledger.lines.update((str(line["message"]), self._run_id) for line in lines)

    async def _reported(self, place: int) -> None:
        """A task as version 3 runs it: it only tells what happened."""
        chance = self._client.chance
        task = TaskRun(self._client, self._run_id, place)
        retried = ("RUNNING", "SCHEDULED") if chance.random() < 0.2 else ()
        for kind in ("PENDING", *retried, "RUNNING", chance.choice(("COMPLETED", "FAILED"))):
            event = task.event(kind)
            if chance.random() < 0.15:
                self._held_back.append(event)
            else:
                self._reporter.put(event)
            await asyncio.sleep(chance.expovariate(1 / 2))

    async def _asked(self, place: int) -> None:
        """A task that asks for its states, and for the slots of its tags."""
        client = self._client
        body = {
            "flow_run_id": self._run_id,
            "task_key": f"t{place}",
            "dynamic_key": str(place),
            "tags": ["db"] if client.chance.random() < 0.5 else [],
        }
        task = (await client.ask("POST", "/task_runs/", body)).document
        if "id" not in task:
            raise GaveUp
        for kind in ("RUNNING", "COMPLETED"):
            path, state = f"/task_runs/{task['id']}/set_state", {"state": {"type": kind}}
            answer = await client.make(path, state)
            while answer["status"] == "WAIT":
                await asyncio.sleep(answer["details"]["delay_seconds"] + 0.1)
                answer = await client.make(path, state)
            await asyncio.sleep(client.chance.uniform(0.1, 4))
