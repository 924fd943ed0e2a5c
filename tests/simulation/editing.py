"""Those who edit: deployments, schedules, limits, pools; who order, cancel, resume and delete."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from tests.simulation.clients import GaveUp, Person
from tests.simulation.ledger import Edit, Schedule
from tests.simulation.working import POOL, SERVED

_CRON = {"cron": "*/5 * * * *", "timezone": "Europe/Berlin"}
_INTERVAL = {"interval": 400, "anchor_date": "2026-01-01T00:00:00Z"}
_SCHEDULES: dict[int, Any] = {0: None, 300: _CRON, 400: _INTERVAL}
_LIMITS: dict[str, dict[str, Any]] = {
    "d0": {},
    "d1": {"concurrency_limit": 1},
    "d2": {"concurrency_limit": 2, "concurrency_options": {"collision_strategy": "ENQUEUE"}},
    "d3": {"concurrency_limit": 1, "concurrency_options": {"collision_strategy": "CANCEL_NEW"}},
}
_STEPS = 90.0


class Acting(Person):
    """Does one of some things now and then."""

    async def live(self) -> None:
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / self.pause))
            with contextlib.suppress(GaveUp):
                await self.step()

    pause = _STEPS

    @abstractmethod
    async def step(self) -> None:
        """Do something."""

    def deployment(self) -> str:
        """One of the deployments here; GaveUp if nobody has made any."""
        here = sorted(one for one, place in self.ledger.deployments.items() if place == self.place)
        if not here:
            raise GaveUp
        return self.chance.choice(here)

    def flow_run(self) -> str:
        """One of the runs here."""
        here = sorted(one for one, place in self.ledger.flow_runs.items() if place == self.place)
        if not here:
            raise GaveUp
        return self.chance.choice(here)


class Editor(Acting):
    """Makes and changes deployments and their schedules, and deletes some."""

    async def make_all(self) -> None:
        """Make every deployment there is."""
        for name, more in _LIMITS.items():
            await self._put(name, {"work_pool_name": POOL, **more}, 300 if name == "d1" else 0)
        await self._put(SERVED, {}, 0)

    async def step(self) -> None:
        await self.chance.choice(
            (self._deploy, self._serve, self._edit, self._edit_schedule, self._pause, self._delete)
        )()

    async def _deploy(self) -> None:
        name = self.chance.choice(sorted(_LIMITS))
        body = {"work_pool_name": POOL, **_LIMITS[name]}
        await self._put(name, body, self.chance.choice(sorted(_SCHEDULES)))

    async def _serve(self) -> None:
        await self._put(SERVED, {}, self.chance.choice((0, 300)))

    async def _put(self, name: str, more: dict[str, Any], every: int) -> None:
        flow = await self.make("/flows/", {"name": "deployed"})
        body = {
            "name": name, "flow_id": flow["id"], "schedules": _schedules(every),
            "tags": ["deployed", name], **more,
        }  # fmt: skip
        with self._editing(name) as edit:
            deployment = await self.make("/deployments/", body)
            deployment_id = deployment["id"]
            if deployment_id in self.ledger.doomed:
                return
            self.ledger.deployments[deployment_id] = self.place
            self.ledger.names[deployment_id] = (self.place, name)
            if "concurrency_limit" in more:
                limit = f"deployment:{deployment_id}"
                self.ledger.allow(self.place, limit, more["concurrency_limit"])
            self._knows(deployment_id, edit, every, paused=deployment["paused"])

    async def _edit(self) -> None:
        deployment_id, every = self.deployment(), self.chance.choice(sorted(_SCHEDULES))
        path = f"/deployments/{deployment_id}"
        with self._editing(self.ledger.names[deployment_id][1]) as edit:
            await self._changed(await self.ask("PATCH", path, {"schedules": _schedules(every)}))
            paused = (await self.get(path))["paused"]
            self._knows(deployment_id, edit, every, paused=paused)

    async def _edit_schedule(self) -> None:
        """Change, stop or delete the schedule that is there, or add the one that is not."""
        deployment_id, every = self.deployment(), self.chance.choice((300, 400))
        path = f"/deployments/{deployment_id}"
        with self._editing(self.ledger.names[deployment_id][1]) as edit:
            paused = (await self.get(path))["paused"]
            there = await self.get(f"{path}/schedules")
            every = await self._change_schedule(f"{path}/schedules", there, every)
            if len(await self.get(f"{path}/schedules")) < 2:
                self._knows(deployment_id, edit, every, paused=paused)

    async def _change_schedule(self, path: str, there: list[Any], every: int) -> int:
        """Seconds between two slots of it then."""
        active = self.chance.random() < 0.7
        changed = {"schedule": _SCHEDULES[every], "active": active}
        if not there:
            await self.make(path, [changed])
        elif self.chance.random() < 0.3:
            await self._changed(await self.ask("DELETE", f"{path}/{there[0]['id']}"))
            return 0
        else:
            await self._changed(await self.ask("PATCH", f"{path}/{there[0]['id']}", changed))
        return every if active else 0

    async def _pause(self) -> None:
        deployment_id = self.deployment()
        known = self.ledger.schedules.get(deployment_id)
        path, paused = f"/deployments/{deployment_id}", self.chance.random() < 0.5
        with self._editing(self.ledger.names[deployment_id][1]) as edit:
            if paused and self.chance.random() < 0.5:
                await self.make(f"{path}/pause_deployment", {})
            else:
                await self._changed(await self.ask("PATCH", path, {"paused": paused}))
            if known is not None and not paused:
                self._knows(deployment_id, edit, known.every, paused=False)

    async def _delete(self) -> None:
        if self.chance.random() < 0.5:
            return
        deployment_id = self.deployment()
        with self._editing(self.ledger.names[deployment_id][1]):
            del self.ledger.names[deployment_id]
            del self.ledger.deployments[deployment_id]
            self.ledger.doomed.add(deployment_id)
            await self._changed(await self.ask("DELETE", f"/deployments/{deployment_id}"))

    async def _changed(self, answer: Any) -> None:
        if answer.status not in {204, 404}:
            self.complain(f"a change was answered {answer.status}: {answer.document}")
        if answer.status != 204:
            raise GaveUp

    @contextlib.contextmanager
    def _editing(self, name: str) -> Iterator[Edit]:
        """Forget what was known of a deployment's schedule, which is about to change."""
        ledger, key = self.ledger, (self.place, name)
        under_way = ledger.edits.setdefault(key, [])
        edit = Edit(alone=not under_way)
        for other in under_way:
            other.alone = False
        under_way.append(edit)
        for deployment_id in [one for one, named in ledger.names.items() if named == key]:
            ledger.schedules.pop(deployment_id, None)
        try:
            yield edit
        finally:
            under_way.remove(edit)

    def _knows(self, deployment_id: str, edit: Edit, every: int, *, paused: bool) -> None:
        """Note how a schedule is after an edit, unless there was another one meanwhile."""
        ledger = self.ledger
        if every and not paused and edit.alone and deployment_id in ledger.deployments:
            ledger.schedules[deployment_id] = Schedule(
                deployment_id, self.place, every, self.micros()
            )


class Operator(Acting):
    """Orders runs, cancels, resumes, retries and deletes some, and changes limits."""

    pause = 30.0

    async def step(self) -> None:
        await self.chance.choice(
            (self._order, self._order, self._order, self._order, self._cancel, self._resume,
             self._retry, self._delete, self._limit, self._pool)
        )()  # fmt: skip

    async def _order(self) -> None:
        path = f"/deployments/{self.deployment()}/create_flow_run"
        for _ in range(self.chance.randrange(1, 4)):
            body = {"idempotency_key": self.uuid()}
            self.ledger.run(await self.make(path, body), self.place)

    async def _cancel(self) -> None:
        run_id = self.flow_run()
        self.ledger.called_off.add(run_id)
        self.ledger.disbelieve(run_id)
        await self.propose(run_id, "CANCELLING")

    async def _resume(self) -> None:
        paused = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}, "limit": 10}
        for run in await self.make("/flow_runs/filter", paused):
            answer = await self.ask("POST", f"/flow_runs/{run['id']}/resume", {})
            if answer.status not in {200, 201, 404}:
                self.complain(f"resuming was answered {answer.status}: {answer.document}")

    async def _retry(self) -> None:
        """Have a run that ended run again, as the button of the UI does."""
        run_id = self.flow_run()
        run = await self.get(f"/flow_runs/{run_id}")
        if run["state_type"] not in {"FAILED", "CRASHED"} or run["deployment_id"] is None:
            return
        worker = self.ledger.executing.get(run_id)
        if worker is None or not worker.alive:
            with self._called_off(run_id):
                await self.propose(run_id, "SCHEDULED", name="AwaitingRetry", force=True)

    @contextlib.contextmanager
    def _called_off(self, run_id: str) -> Iterator[None]:
        """Have nobody believe meanwhile in a slot of a run that is given back by force.

        A proposal that is asked again, or another operator's, comes after somebody's claim.
        """
        ledger, for_good = self.ledger, run_id in self.ledger.called_off
        ledger.called_off.add(run_id)
        try:
            yield
        finally:
            ledger.disbelieve(run_id)
            if not for_good:
                ledger.called_off.discard(run_id)

    async def _delete(self) -> None:
        if self.chance.random() < 0.7:
            return
        run_id = self.flow_run()
        self.ledger.doomed.add(run_id)
        self.ledger.called_off.add(run_id)
        self.ledger.disbelieve(run_id)
        del self.ledger.flow_runs[run_id]
        answer = await self.ask("DELETE", f"/flow_runs/{run_id}")
        if answer.status not in {204, 404}:
            self.complain(f"deleting was answered {answer.status}: {answer.document}")

    async def _limit(self) -> None:
        slots = self.chance.choice((1, 2, 3))
        self.ledger.allow(self.place, "tag:db", slots)
        await self.make("/concurrency_limits/", {"tag": "db", "concurrency_limit": slots})

    async def _pool(self) -> None:
        change: dict[str, Any] = self.chance.choice(
            ({"is_paused": True}, {"is_paused": False}, {"is_paused": False},
             {"concurrency_limit": 2}, {"concurrency_limit": None})
        )  # fmt: skip
        await self.ask("PATCH", f"/work_pools/{POOL}", change)


def _schedules(every: int) -> list[dict[str, Any]]:
    schedule = _SCHEDULES[every]
    return [] if schedule is None else [{"schedule": schedule, "active": True}]
