"""The slots that a task run holds of its tags while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from armillary.concurrency import leases, limits
from armillary.concurrency.leases import Grant, Holder
from armillary.concurrency.slots import TAG_PREFIX, Limit
from armillary.db.filters import json_list
from armillary.db.unit import Unit

_HELD = """
select c.id, k.limit_id from concurrency_lease c
  join concurrency_lease_limit k on k.lease_id = c.id
  join concurrency_limit l on l.id = k.limit_id
where c.workspace = ? and c.holder_id = ? and c.holder_type = 'task_run' and l.name {in_list}
"""
_OF_TASK_RUN = """
select id from concurrency_lease where workspace = ? and holder_id = ? and holder_type = 'task_run'
"""
_OF_TASK_RUNS = """
select id from concurrency_lease
where workspace = ? and holder_id {in_list} and holder_type = 'task_run'
"""
_OF_FLOW_RUN = """
select c.id from task_run t join concurrency_lease c on c.holder_id = t.id
where t.flow_run_id = ? and c.holder_type = 'task_run' and c.workspace = ?
"""


def names(tags: Iterable[str]) -> list[str]:
    """Name the limits on tags."""
    return [TAG_PREFIX + tag for tag in dict.fromkeys(tags)]


async def asked(unit: Unit, task_run_id: str, tags: Iterable[str]) -> list[Limit]:
    """Lock the active limits on these tags of which the task run holds no slot yet."""
    wanted = names(tags)
    locked = [limit for limit in await limits.lock_named(unit, wanted) if limit.active]
    if not locked:
        return []
    held = {row[1] for row in await _held(unit, task_run_id, wanted)}
    return [limit for limit in locked if limit.id not in held]


async def take(unit: Unit, task_run_id: str, asked: Sequence[Limit], *, chance: float) -> bool:
    """Take a slot of each, or none; they are held until they are given back."""
    if not asked:
        return True
    grant = Grant(
        id=leases.derived_id(task_run_id, unit.micros, chance),
        slots=1,
        expires=leases.NEVER,
        holder=Holder("task_run", task_run_id),
    )
    return await leases.take(unit, asked, grant)


async def untake(unit: Unit, task_run_id: str, *, chance: float) -> None:
    """Give back what was taken in this very transition."""
    await leases.give_back(unit, [leases.derived_id(task_run_id, unit.micros, chance)])


async def give_back(unit: Unit, task_run_id: str, tags: Iterable[str]) -> None:
    """Give back every slot the task run holds of its tags."""
    held = {row[0] for row in await _held(unit, task_run_id, names(tags))}
    if held:
        await leases.give_back(unit, held)


async def give_back_of_task_run(unit: Unit, task_run_id: str) -> None:
    """Give back what a task run holds, whatever of: it is going away."""
    rows = await unit.all(_OF_TASK_RUN, unit.workspace, task_run_id)
    if rows:
        await leases.give_back(unit, [row[0] for row in rows])


async def give_back_of_task_runs(unit: Unit, task_run_ids: Iterable[str]) -> None:
    """Give back what some task runs hold, whatever of."""
    rows = await unit.all(_OF_TASK_RUNS, unit.workspace, json_list(task_run_ids))
    if rows:
        await leases.give_back(unit, [row[0] for row in rows])


async def give_back_of_flow_run(unit: Unit, flow_run_id: str) -> None:
    """Give back what the task runs of a flow run hold."""
    rows = await unit.all(_OF_FLOW_RUN, flow_run_id, unit.workspace)
    if rows:
        await leases.give_back(unit, [row[0] for row in rows])


async def _held(unit: Unit, task_run_id: str, limit_names: Iterable[str]) -> list[tuple[str, str]]:
    rows = await unit.all(_HELD, unit.workspace, task_run_id, json_list(limit_names))
    return [(row[0], row[1]) for row in rows]
