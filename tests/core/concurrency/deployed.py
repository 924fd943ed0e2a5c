"""Runs of a deployment with a limit, as short as a test wants them."""

from typing import Any
from uuid import UUID

from armillary.concurrency import leases, limits
from armillary.concurrency.slots import Limit
from armillary.core import Core
from armillary.db.unit import Unit
from armillary.flow_runs.creating import NewFlowRun
from armillary.flow_runs.deleting import delete_all
from armillary.orchestration.driving import Decided
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.policies import FlowRunPolicy
from armillary.orchestration.rule import PolicyName
from armillary.orchestration.states import Proposal, StateDetails, StateType, propose
from armillary.orchestration.transition import Client

SDK = Client(version=(3, 8, 8))
UNKNOWN = Client()
PENDING = propose(StateType.PENDING)
RUNNING = propose(StateType.RUNNING)
COMPLETED = propose(StateType.COMPLETED)
FAILED = propose(StateType.FAILED)
_DEPLOYMENT = """
insert into deployment (id, workspace, created, updated, name, flow_id, paused,
  concurrency_limit_id, concurrency_options, job_variables, parameters, tags, labels, status,
  enforce_parameter_schema)
values (?, ?, 0, 0, ?, ?, 0, ?, ?, '{}', '{}', '[]', '{}', 'READY', 1)
"""
_FLOW = """
insert into flow (id, workspace, created, updated, name, tags, labels)
values (?, ?, 0, 0, 'f', '[]', '{}')
"""


class Deployed:
    """A flow with one deployment, `d`, in a workspace."""

    def __init__(self, core: Core, workspace: int = 1) -> None:
        self.core = core
        self.workspace = workspace
        self.flow_id = f"flow-{workspace}"
        self.id = f"deployment-{workspace}"
        self.limit_id = ""

    async def create(self, slots: int | None = 1, *, options: str | None = None) -> None:
        async def work(unit: Unit) -> None:
            if slots is not None:
                self.limit_id = await limits.set_deployment_limit(
                    unit, self.core.ids, self.id, slots
                )
            limit_id = self.limit_id or None
            await unit.run(_FLOW, self.flow_id, self.workspace)
            await unit.run(
                _DEPLOYMENT, self.id, self.workspace, "d", self.flow_id, limit_id, options
            )

        await self.core.database.write(work, workspace=self.workspace)

    async def run(self, **more: Any) -> str:
        """Create a scheduled run; return its id."""
        due = StateDetails(scheduled_time=self.core.clock.now())
        new = NewFlowRun(
            workspace=self.workspace,
            id=self.core.ids.uuid7(),
            name="r",
            flow_id=self.flow_id,
            deployment_id=self.id,
            proposal=propose(StateType.SCHEDULED, details=due),
            empirical_policy=FlowRunPolicy(retries=more.get("retries")),
        )
        await self.core.gate.create_flow_run(new)
        return new.id

    async def put(
        self,
        run_id: str,
        proposal: Proposal,
        *,
        client: Client = SDK,
        policy: PolicyName = "core",
    ) -> Decided:
        return await self.core.gate.set_flow_run_state(
            FlowRunProposal(
                workspace=self.workspace,
                run_id=run_id,
                proposal=proposal,
                client=client,
                policy=policy,
            )
        )

    async def running(self, *, client: Client = SDK, **more: Any) -> str:
        """Create a run, claim and start it; return its id."""
        run_id = await self.run(**more)
        assert name(await self.put(run_id, PENDING, client=client)) == "Pending"
        assert name(await self.put(run_id, RUNNING, client=client)) == "Running"
        return run_id

    async def limit(self) -> Limit:
        found = await limits.read(self.core.database.read(self.workspace), self.limit_id)
        assert found is not None
        return found

    async def used(self) -> int:
        return (await self.limit()).active_slots

    async def change(self, sql: str, *args: object) -> None:
        async def work(unit: Unit) -> None:
            await unit.run(sql, *args)

        await self.core.database.write(work, workspace=self.workspace)

    async def delete(self, run_id: str) -> None:
        await self.core.database.write(
            lambda unit: self.core.deletions.delete_flow_run(unit, run_id),
            workspace=self.workspace,
        )

    async def delete_all(self) -> None:
        """As the job does that deletes what hangs below a deleted flow."""

        async def work(unit: Unit) -> None:
            rows = await unit.all("select id from flow_run where flow_id = ?", self.flow_id)
            runs = [row[0] for row in rows]
            await self.core.deletions.family.release(unit, "flow_run", runs)
            await delete_all(unit, runs)

        await self.core.database.write(work, workspace=self.workspace)

    async def renew(self, lease_id: UUID | None) -> bool:
        until = leases.after(self.core.clock.micros(), 300)
        return await self.core.database.write(
            lambda unit: leases.renew(unit, str(lease_id), until), workspace=self.workspace
        )

    async def reap(self) -> int:
        """End what is past its end, as the service of the plugin does."""
        reader = self.core.database.read(None)
        ended = 0
        for lease_id, key in await leases.expired(reader, self.core.clock.micros(), limit=9):
            ended += await self.core.database.write(
                lambda unit, lease_id=lease_id: leases.give_back_expired(unit, lease_id),  # type: ignore[misc]
                workspace=key,
            )
        return ended


def name(decided: Decided) -> str:
    assert decided.state is not None
    return decided.state.name


def lease(decided: Decided) -> UUID | None:
    assert decided.state is not None
    return decided.state.details.deployment_concurrency_lease_id
