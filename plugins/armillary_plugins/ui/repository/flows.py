"""Flows with their deployments and their last and next runs."""

from __future__ import annotations

from collections.abc import Sequence

from armillary.db.filters import Condition, every
from armillary.db.unit import Reader, Row

CAP = 100
"""Deployments counted, and shown, of a flow."""

_FLOW = f"""
select f.id, f.name, f.tags, f.created,
  (select count(*) from
    (select 1 from deployment d where d.flow_id = f.id limit {CAP + 1}) counted),
  (select r.expected_start_time from flow_run r where r.flow_id = f.id
    and r.expected_start_time <= ? order by r.expected_start_time desc limit 1),
  (select r.expected_start_time from flow_run r where r.flow_id = f.id
    and r.expected_start_time > ? and r.state_type = 'SCHEDULED'
    order by r.expected_start_time limit 1)
from flow f
"""
_LIST = f"{_FLOW} where {{where}} order by f.name {{way}} limit ?"
_ONE = f"{_FLOW} where f.workspace = ? and f.id = ?"
_ANY = "select 1 from flow where workspace = ? limit 1"
_DEPLOYMENTS = """
select d.id, d.name, d.paused,
  (select min(r.next_scheduled_start_time) from flow_run r where r.deployment_id = d.id
    and r.state_type = 'SCHEDULED' and r.next_scheduled_start_time > ?)
from deployment d where d.flow_id = ? and d.workspace = ? order by d.name limit ?
"""


async def list_flows(  # noqa: PLR0913 - which flows, from where, how many
    reader: Reader,
    condition: Condition,
    *,
    limit: int,
    now: int,
    after: str | None = None,
    before: str | None = None,
) -> Sequence[Row]:
    """List flows by name: the first, those behind a name, or backwards from before one."""
    parts = [Condition("f.workspace = ?", (reader.workspace,)), condition]
    if before is not None:
        parts.append(Condition("f.name < ?", (before,)))
    elif after is not None:
        parts.append(Condition("f.name > ?", (after,)))
    where = every(parts)
    sql = _LIST.format(where=where.sql, way="asc" if before is None else "desc")
    return await reader.all(sql, now, now, *where.args, limit)


async def any_flows(reader: Reader) -> bool:
    """Tell whether the workspace has any flow at all."""
    return await reader.one(_ANY, reader.workspace) is not None


async def read_flow(reader: Reader, flow_id: str, *, now: int) -> Row | None:
    """Read a flow."""
    return await reader.one(_ONE, now, now, reader.workspace, flow_id)


async def list_deployments_of(reader: Reader, flow_id: str, *, now: int) -> Sequence[Row]:
    """List the first of a flow's deployments by name."""
    return await reader.all(_DEPLOYMENTS, now, flow_id, reader.workspace, CAP)
