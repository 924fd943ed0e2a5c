"""What clients link to that has no page of its own yet."""

from __future__ import annotations

from armillary.db.unit import Reader
from armillary_plugins.ui.schemas import Thing

_FLOW = "select id, name from flow where workspace = ? and id = ?"
_DEPLOYMENT = """
select d.id, f.name, d.name from deployment d join flow f on f.id = d.flow_id
where d.workspace = ? and d.id = ?
"""
_WORK_POOL = "select id, name, type from work_pool where workspace = ? and (id = ? or name = ?)"
_WORK_QUEUE = """
select q.id, p.name, q.name from work_queue q join work_pool p on p.id = q.work_pool_id
where q.workspace = ? and q.id = ?
"""
_LIMIT = "select id, name from concurrency_limit where workspace = ? and id = ?"


async def find_flow(reader: Reader, key: str) -> Thing | None:
    """Find a flow by id."""
    row = await reader.one(_FLOW, reader.workspace, key)
    if row is None:
        return None
    return Thing(kind="Flow", id=row[0], name=row[1], runs_path=f"/runs?flows={row[0]}")


async def find_deployment(reader: Reader, key: str) -> Thing | None:
    """Find a deployment by id."""
    row = await reader.one(_DEPLOYMENT, reader.workspace, key)
    if row is None:
        return None
    name = f"{row[1]}/{row[2]}"
    return Thing(kind="Deployment", id=row[0], name=name, runs_path=f"/runs?deployments={row[0]}")


async def find_work_pool(reader: Reader, key: str) -> Thing | None:
    """Find a work pool by id or name."""
    row = await reader.one(_WORK_POOL, reader.workspace, key, key)
    return None if row is None else Thing(kind="Work pool", id=row[0], name=row[1])


async def find_work_queue(reader: Reader, key: str) -> Thing | None:
    """Find a work queue by id."""
    row = await reader.one(_WORK_QUEUE, reader.workspace, key)
    return None if row is None else Thing(kind="Work queue", id=row[0], name=f"{row[1]}/{row[2]}")


async def find_limit(reader: Reader, key: str) -> Thing | None:
    """Find a concurrency limit by id."""
    row = await reader.one(_LIMIT, reader.workspace, key)
    return None if row is None else Thing(kind="Concurrency limit", id=row[0], name=row[1])
