"""Everything that changes flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from armillary.clock import from_micros
from armillary.db.unit import Unit
from armillary.deleting.deletions import Deletions
from armillary.errors import NotFound
from armillary.flows.events import announce
from armillary.flows.reading import find_flow, read_flow
from armillary.flows.schemas import Flow
from armillary.ids import Ids

_INSERT = """
insert into flow (id, workspace, created, updated, name, tags, labels)
values (?, ?, ?, ?, ?, ?, ?) on conflict (workspace, name) do nothing
"""
_SET_TAGS = "update flow set tags = ?, updated = ? where id = ? and workspace = ?"
_LOCK = "select 1 from flow where id = ? and workspace = ? {for_update}"
_DELETE = "delete from flow where id = ?"
# Of another workspace, which there is not, and under a name that nobody gives.
_PUT_ASIDE = "update flow set workspace = -workspace, name = id where id = ?"
_PUT_DEPLOYMENTS_ASIDE = """
update deployment set workspace = -workspace, paused = 1, status = 'NOT_READY' where flow_id = ?
"""
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


async def delete_flow(unit: Unit, ids: Ids, flow_id: str, deletions: Deletions) -> None:
    """Delete a flow with its deployments and runs; NotFound without the flow.

    What is left for later is put aside: nothing finds it any more, and the name is free.
    """
    if await unit.one(_LOCK, flow_id, unit.workspace) is None:
        raise NotFound("Flow not found")
    flow = await read_flow(unit, flow_id)
    if await deletions.delete_below(unit, "flow", [flow_id]):
        await unit.run(_DELETE, flow_id)
    else:
        await unit.run(_PUT_ASIDE, flow_id)
        await unit.run(_PUT_DEPLOYMENTS_ASIDE, flow_id)
    if flow is not None:
        announce(unit, ids.uuid7(), "deleted", flow)


def _tags(tags: Sequence[str]) -> msgspec.Raw:
    return msgspec.Raw(_encode(list(dict.fromkeys(tags))))
