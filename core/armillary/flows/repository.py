"""Everything that changes flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from armillary.clock import from_micros
from armillary.concurrency import limits
from armillary.concurrency.limits import DEPLOYMENT_PREFIX
from armillary.db.unit import Unit
from armillary.errors import NotFound
from armillary.flow_runs.deleting import Forget, delete_some
from armillary.flows.events import announce
from armillary.flows.reading import find_flow, read_flow
from armillary.flows.schemas import Flow
from armillary.ids import Ids

RUNS_AT_ONCE = 100
"""How many runs of a flow one unit of work deletes: others wait no longer than that takes."""

_INSERT = """
insert into flow (id, workspace, created, updated, name, tags, labels)
values (?, ?, ?, ?, ?, ?, ?) on conflict (workspace, name) do nothing
"""
_SET_TAGS = "update flow set tags = ?, updated = ? where id = ? and workspace = ?"
_LOCK = "select 1 from flow where id = ? and workspace = ? {for_update}"
_LIMITED = """
select d.id from deployment d
  join concurrency_limit l on l.workspace = d.workspace and l.name = ? || d.id
where d.flow_id = ?
"""
_DELETES = (
    """delete from deployment_schedule where deployment_id in
        (select id from deployment where flow_id = ?)""",
    "delete from deployment where flow_id = ?",
    "delete from flow where id = ?",
)
_encode = msgspec.json.Encoder().encode


async def create_flow(
    unit: Unit, ids: Ids, *, name: str, tags: Sequence[str], labels: Mapping[str, object]
) -> tuple[Flow, bool]:
    """Create a flow, or return the one of that name as it is; tell whether it was created."""
    new = Flow(
        id=ids.uuid4(),
        created=from_micros(unit.micros),
        updated=from_micros(unit.micros),
        name=name,
        tags=_tags(tags),
        labels=msgspec.Raw(_encode(labels)),
    )
    inserted = await unit.run(
        _INSERT, new.id, unit.workspace, unit.micros, unit.micros, name,
        bytes(new.tags).decode(), bytes(new.labels).decode(),
    )  # fmt: skip
    if inserted:
        announce(unit, ids.uuid7(), "created", new)
        return new, True
    existing = await find_flow(unit, name)
    if existing is None:
        raise NotFound(f"The flow {name!r} was deleted at the same moment: try again.")
    return existing, False


async def update_flow(unit: Unit, ids: Ids, flow_id: str, tags: Sequence[str] | None) -> None:
    """Replace a flow's tags, if given; NotFound without the flow."""
    if tags is not None:
        stored = bytes(_tags(tags)).decode()
        await unit.run(_SET_TAGS, stored, unit.micros, flow_id, unit.workspace)
    flow = await read_flow(unit, flow_id)
    if flow is None:
        raise NotFound("Flow not found")
    announce(unit, ids.uuid7(), "updated", flow)


async def delete_flow_part(unit: Unit, ids: Ids, flow_id: str, forget: Forget) -> bool:
    """Delete a part of a flow's runs and, after the last of them, its deployments and itself.

    Tells whether the flow is gone; if not, there is more to delete.  NotFound without the flow.
    """
    if await unit.one(_LOCK, flow_id, unit.workspace) is None:
        raise NotFound("Flow not found")
    if await delete_some(unit, flow_id, forget, limit=RUNS_AT_ONCE) == RUNS_AT_ONCE:
        return False
    flow = await read_flow(unit, flow_id)
    for row in await unit.all(_LIMITED, DEPLOYMENT_PREFIX, flow_id):
        await limits.drop_deployment_limit(unit, row[0])
    for statement in _DELETES:
        await unit.run(statement, flow_id)
    if flow is not None:
        announce(unit, ids.uuid7(), "deleted", flow)
    return True


def _tags(tags: Sequence[str]) -> msgspec.Raw:
    return msgspec.Raw(_encode(list(dict.fromkeys(tags))))
