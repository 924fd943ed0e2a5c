"""One who makes flows with runs and deletes them again, whole or in part, or calls them off."""

from __future__ import annotations

from typing import Any

from tests.simulation.editing import Acting


class Remover(Acting):
    """What he deleted is gone for him at once, though the server has long to do with it."""

    pause = 60.0

    async def step(self) -> None:
        flow = (await self.make("/flows/", {"name": f"passing {self.uuid()[:8]}"}))["id"]
        runs = [await self._run(flow) for _ in range(self.chance.randrange(1, 4))]
        what = self.chance.random()
        if what < 0.2:
            await self.propose(runs[0], "CANCELLING")
        elif what < 0.5:
            await self._delete(f"/flow_runs/{runs[0]}")
            await self._is_gone(runs[:1])
        else:
            await self._delete(f"/flows/{flow}")
            await self._is_gone(runs)
            if (await self.ask("GET", f"/flows/{flow}")).status != 404:
                self.complain(f"flow {flow} was deleted and is shown")

    async def _run(self, flow: str) -> str:
        body: dict[str, Any] = {"flow_id": flow, "tags": ["a", "b"], "state": {"type": "RUNNING"}}
        run: str = (await self.make("/flow_runs/", body))["id"]
        for number in range(self.chance.randrange(4)):
            task = {"flow_run_id": run, "task_key": "t", "dynamic_key": str(number)}
            await self.make("/task_runs/", {**task, "state": {"type": "RUNNING"}})
        return run

    async def _delete(self, path: str) -> None:
        answer = await self.ask("DELETE", path)
        if answer.status not in {204, 404}:
            self.complain(f"deleting was answered {answer.status}: {answer.document}")

    async def _is_gone(self, runs: list[str]) -> None:
        """Look by each run's id, and in a list of task runs."""
        for run in runs:
            if (await self.ask("GET", f"/flow_runs/{run}")).status != 404:
                self.complain(f"run {run} was deleted and is shown")
        those = {"flow_runs": {"id": {"any_": runs}}}
        if await self.make("/task_runs/filter", those):
            self.complain(f"task runs of {runs} were deleted and are shown")
