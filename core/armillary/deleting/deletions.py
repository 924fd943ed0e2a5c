"""Deleting things with all that hangs below them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from armillary.concurrency import limits, tags
from armillary.db.filters import json_list
from armillary.db.unit import Reader, Unit
from armillary.deleting.family import Family
from armillary.deleting.unseen import Narrowing, Unseeing
from armillary.jobs import Wanted
from armillary.jobs.store import enqueue

if TYPE_CHECKING:
    from armillary.core import Core

QUEUE = "server_background"
JOB = "delete_below"
AT_ONCE = 1000
"""Rows deleted with the thing itself."""
AT_A_TIME = 500
"""Rows deleted in one unit of the job: others wait no longer than that takes."""
_ATTEMPTS = 50
_ALL = 1_000_000_000
_LOAD = "select id from doomed"
_DOOM = """
insert into doomed (id, kind, workspace, created) values (?, ?, ?, ?) on conflict (id) do nothing
"""
_UNDOOM = "delete from doomed where id {in_list}"
_MAY_HOLD = """
select id from flow_run where id {in_list}
  and (state_type in ('PENDING', 'RUNNING', 'PAUSED', 'CANCELLING') or state_name = 'AwaitingRetry')
"""


def finishes_deletion(queue: str, job: str) -> bool:
    """Tell whether a job is what a deletion rests on: without it the rest stays, never seen."""
    return (queue, job) == (QUEUE, JOB)


class Deletions:
    """What is being deleted, and how that is done."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._doomed: set[str] = set()
        self._in_background = QUEUE in core.plugins.enabled

    @cached_property
    def family(self) -> Family:
        """What belongs to what here."""
        every = self._core.tables()
        return Family(
            [each for tables in every for each in tables.belongs],
            {
                table: partial(release, self._core)
                for tables in every
                for table, release in tables.releases.items()
            }
            | {
                "flow_run": self._release_flow_runs,
                "task_run": _release_task_runs,
                "deployment": _release_deployments,
            },
        )

    @cached_property
    def _narrowing(self) -> Narrowing:
        return Narrowing(self.family)

    async def open(self) -> None:
        """Learn what was doomed before this process began."""
        reader = self._core.database.read(None)
        self._doomed.update(row[0] for row in await reader.all(_LOAD))

    def reader(self, workspace: int) -> Reader:
        """Return a reader that does not see what is doomed."""
        reader = self._core.database.read(workspace)
        return Unseeing(reader, self._narrowing) if self._doomed else reader

    async def delete_flow_run(self, unit: Unit, run_id: str) -> bool:
        """Delete a flow run with all below it; False if the workspace has none."""
        if not await self._core.gate.forget_in(unit, run_id):
            return False
        await unit.run("delete from flow_run where id = ?", run_id)
        await self.delete_below(unit, "flow_run", [run_id])
        return True

    async def delete_below(self, unit: Unit, table: str, ids: Sequence[str]) -> bool:
        """Delete what hangs below some rows, now or later; True if nothing is left for later."""
        room = AT_ONCE if self._in_background else _ALL
        if await self.family.delete_below(unit, table, ids, room):
            return True
        await unit.many(_DOOM, [(each, table, unit.workspace, unit.micros) for each in ids])
        unit.after_commit(partial(self._doomed.update, list(ids)))
        wanted = Wanted(
            id=self._core.ids.uuid7(),
            queue=QUEUE,
            job=JOB,
            key=f"{table} {ids[0]}",
            arguments={"table": table, "ids": list(ids)},
            attempts=_ATTEMPTS,
        )
        await enqueue(unit, wanted)
        return False

    async def go_on(self, unit: Unit, table: str, ids: Sequence[str]) -> tuple[int, bool]:
        """Delete some more; say how many rows, and whether that was the end of it."""
        left = await self.family.delete_below(unit, table, ids, AT_A_TIME)
        if left:
            await self._end(unit, table, ids)
        return AT_A_TIME - left, bool(left)

    async def _end(self, unit: Unit, table: str, ids: Sequence[str]) -> None:
        """Delete what was put aside, and let readers see all there is."""
        await unit.run(f"delete from {table} where id {{in_list}}", json_list(ids))
        await unit.run(_UNDOOM, json_list(ids))
        unit.after_commit(partial(self._doomed.difference_update, list(ids)))

    async def _release_flow_runs(self, unit: Unit, ids: Iterable[str]) -> None:
        """Give back the slots of runs that may hold some."""
        for row in await unit.all(_MAY_HOLD, json_list(ids)):
            await self._core.gate.forget_in(unit, row[0], doomed=True)


async def _release_task_runs(unit: Unit, ids: Sequence[str]) -> None:
    await tags.give_back_of_task_runs(unit, ids)


async def _release_deployments(unit: Unit, ids: Sequence[str]) -> None:
    for deployment_id in ids:
        await limits.drop_deployment_limit(unit, deployment_id)
