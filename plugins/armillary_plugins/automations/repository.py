"""Every query about automations."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from armillary.clock import from_micros
from armillary.db.filters import Condition, every
from armillary.db.listing import Order, Shape, Span, counted, listed
from armillary.db.unit import Reader, Row, Unit
from armillary.deleting.deletions import Deletions
from armillary.errors import RunNotFound
from armillary.ids import Ids
from armillary_plugins.automations.action_schemas import AnyAction, RunDeployment
from armillary_plugins.automations.events import announce
from armillary_plugins.automations.loops import check_loops
from armillary_plugins.automations.schemas import AutomationSort, Draft, Written
from armillary_plugins.automations.trigger_schemas import Trigger

_COLUMNS = (
    "a.id, a.created, a.updated, a.name, a.description, a.enabled, a.tags, a.trigger_spec,"
    " a.actions, a.actions_on_trigger, a.actions_on_resolve"
)
_SHAPE = Shape("automation", "a", _COLUMNS)
_ORDERS: dict[str, Order] = {
    "CREATED_DESC": Order("a.created", descending=True),
    "UPDATED_DESC": Order("a.updated", descending=True),
    "NAME_ASC": Order("a.name", descending=False),
    "NAME_DESC": Order("a.name", descending=True),
}
_BY_ID = f"select {_COLUMNS} from automation a where a.id = ? and a.workspace = ?"
_RELATED = f"""
select {_COLUMNS} from automation_resource r join automation a on a.id = r.automation_id
where r.workspace = ? and r.resource_id = ? order by a.name, a.id
"""
_OWNED = """
select a.id from automation_resource r join automation a on a.id = r.automation_id
where r.workspace = ? and r.resource_id = ? and r.owned = 1 and a.created <= ? order by a.id
"""
_DEPLOYMENT = """
select d.job_variables, p.base_job_template
from deployment d left join work_queue q on q.id = d.work_queue_id
  left join work_pool p on p.id = q.work_pool_id
where d.id = ? and d.workspace = ?
"""
_INSERT = """
insert into automation (id, workspace, created, updated, name, description, enabled, tags,
  trigger_spec, actions, actions_on_trigger, actions_on_resolve)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_REPLACE = """
update automation set updated = ?, name = ?, description = ?, enabled = ?, tags = ?,
  trigger_spec = ?, actions = ?, actions_on_trigger = ?, actions_on_resolve = ?
where id = ? and workspace = ?
"""
_ENABLE = "update automation set updated = ?, enabled = ? where id = ? and workspace = ?"
_LOCK = "select 1 from automation where id = ? and workspace = ? {for_update}"
_DELETE = "delete from automation where id = ?"
# Of another workspace, which there is not, and in force no more.
_PUT_ASIDE = "update automation set workspace = -workspace, enabled = 0 where id = ?"
_RELATE = """
insert into automation_resource (automation_id, resource_id, workspace, owned)
values (?, ?, ?, ?) on conflict (automation_id, resource_id) do update
set owned = case when automation_resource.owned = 1 then 1 else excluded.owned end
"""
_UNRELATE = "delete from automation_resource where automation_id = ? and owned = 0"
_encode = msgspec.json.Encoder().encode
_trigger = msgspec.json.Decoder(Trigger).decode
_actions = msgspec.json.Decoder(list[AnyAction]).decode


async def read_automation(reader: Reader, automation_id: str) -> Written:
    """Read an automation of the reader's workspace; RunNotFound without it."""
    row = await reader.one(_BY_ID, automation_id, reader.workspace)
    if row is None:
        raise missing()
    return _from_row(row)


async def list_automations(
    reader: Reader, condition: Condition, sort: AutomationSort, span: Span
) -> list[Written]:
    """List the automations ``a`` that meet a condition."""
    rows = await listed(reader, _SHAPE, _in_workspace(reader, condition), _ORDERS[sort], span)
    return [_from_row(row) for row in rows]


async def count_automations(reader: Reader, condition: Condition) -> int:
    """Count the automations that meet a condition."""
    return await counted(reader, _SHAPE, _in_workspace(reader, condition))


async def list_related(reader: Reader, resource_id: str) -> list[Written]:
    """List the automations that act on a resource by name, or are owned by it."""
    rows = await reader.all(_RELATED, reader.workspace, resource_id)
    return [_from_row(row) for row in rows]


async def job_variables_of(reader: Reader, deployment_id: str) -> tuple[str, str | None] | None:
    """Read a deployment's job variables and its pool's job template, both JSON."""
    row = await reader.one(_DEPLOYMENT, deployment_id, reader.workspace)
    return None if row is None else (row[0], row[1])


async def create(unit: Unit, ids: Ids, draft: Draft, owner: str | None) -> Written:
    """Create an automation."""
    automation_id = ids.uuid4()
    await unit.run(
        _INSERT, automation_id, unit.workspace, unit.micros, unit.micros, *_stored(draft)
    )
    await _relate(unit, automation_id, draft.actions)
    if owner:
        await unit.run(_RELATE, automation_id, owner, unit.workspace, 1)
    created = await read_automation(unit, automation_id)
    announce(unit, ids.uuid7(), "created", created)
    return created


async def replace(unit: Unit, ids: Ids, automation_id: str, draft: Draft) -> None:
    """Make an automation another, whoever owns it; RunNotFound without it."""
    if not await unit.run(_REPLACE, unit.micros, *_stored(draft), automation_id, unit.workspace):
        raise missing()
    await unit.run(_UNRELATE, automation_id)
    await _relate(unit, automation_id, draft.actions)
    announce(unit, ids.uuid7(), "updated", await read_automation(unit, automation_id))


async def set_enabled(
    unit: Unit,
    ids: Ids,
    automation_id: str,
    enabled: bool | None,  # noqa: FBT001 - as on the wire
) -> None:
    """Put an automation into force or out of it; RunNotFound without it, Invalid if it loops."""
    if await unit.one(_LOCK, automation_id, unit.workspace) is None:
        raise missing()
    found = await read_automation(unit, automation_id)
    wanted = found.enabled if enabled is None else enabled
    if wanted:
        check_loops(_trigger(found.trigger), _actions(found.actions))
    await unit.run(_ENABLE, unit.micros, int(wanted), automation_id, unit.workspace)
    announce(unit, ids.uuid7(), "updated", await read_automation(unit, automation_id))


async def delete(unit: Unit, ids: Ids, automation_id: str, deletions: Deletions) -> None:
    """Delete an automation with all it remembers; RunNotFound without it."""
    if await unit.one(_LOCK, automation_id, unit.workspace) is None:
        raise missing()
    found = await read_automation(unit, automation_id)
    if await deletions.delete_below(unit, "automation", [automation_id]):
        await unit.run(_DELETE, automation_id)
    else:
        await unit.run(_PUT_ASIDE, automation_id)
    announce(unit, ids.uuid7(), "deleted", found)


async def delete_owned(
    unit: Unit, ids: Ids, owner: str, *, until: int, deletions: Deletions
) -> None:
    """Delete the automations a resource owns that were there at a time, in microseconds."""
    for row in await unit.all(_OWNED, unit.workspace, owner, until):
        if await unit.one(_LOCK, row[0], unit.workspace) is not None:
            await delete(unit, ids, row[0], deletions)


def missing() -> RunNotFound:
    """Say, in the words clients know, that there is no such automation."""
    return RunNotFound("Automation not found")


async def _relate(unit: Unit, automation_id: str, actions: Iterable[AnyAction]) -> None:
    """Note which deployments an automation runs by name."""
    named = {
        str(action.deployment_id)
        for action in actions
        if isinstance(action, RunDeployment) and action.deployment_id is not None
    }
    await unit.many(
        _RELATE,
        [
            (automation_id, f"prefect.deployment.{each}", unit.workspace, 0)
            for each in sorted(named)
        ],
    )


def _stored(draft: Draft) -> tuple[object, ...]:
    parts = (
        draft.tags, draft.trigger, draft.actions, draft.actions_on_trigger,
        draft.actions_on_resolve,
    )  # fmt: skip
    documents = (_encode(part).decode() for part in parts)
    return (draft.name, draft.description, int(draft.enabled), *documents)


def _from_row(row: Row) -> Written:
    tags, trigger, actions, on_trigger, on_resolve = (
        msgspec.Raw(document.encode()) for document in row[6:11]
    )
    return Written(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        description=row[4],
        enabled=bool(row[5]),
        tags=tags,
        trigger=trigger,
        actions=actions,
        actions_on_trigger=on_trigger,
        actions_on_resolve=on_resolve,
    )


def _in_workspace(reader: Reader, condition: Condition) -> Condition:
    return every([Condition("a.workspace = ?", (reader.workspace,)), condition])
