"""What a request gives of a deployment, shaped for the columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import UNSET

from armillary.concurrency import limits
from armillary.db.unit import Unit
from armillary.deployments.schemas import DeploymentFields
from armillary.errors import Invalid, NotFound
from armillary.ids import Ids
from armillary.work_pools.repository import pools, queues
from armillary.work_pools.repository.queues import AGENT_POOL
from armillary.work_pools.schemas import CreateWorkPool

_encode = msgspec.json.Encoder().encode


def columns_of(given: DeploymentFields) -> dict[str, object]:
    """Shape the members that are columns themselves; null means null, or the default."""
    columns: dict[str, object] = {}
    for names, shape in _SHAPES:
        for name in names:
            value = getattr(given, name)
            if value is not UNSET:
                columns[name] = None if value is None else shape(value)
    for name, shape in _NEVER_NULL.items():
        value = getattr(given, name)
        if value is not UNSET and value is not None:
            columns[name] = shape(value)
    if bytes(given.parameter_openapi_schema):
        columns["parameter_openapi_schema"] = _object_or_null(given.parameter_openapi_schema)
    return columns


def _document(value: object) -> str:
    return _encode(value).decode()


def _set(values: Iterable[str]) -> str:
    return _encode(list(dict.fromkeys(values))).decode()


_SHAPES: tuple[tuple[tuple[str, ...], Callable[[Any], object]], ...] = (
    (("version", "description", "path", "entrypoint", "work_queue_name"), str),
    (("pull_steps", "concurrency_options"), _document),
    (("storage_document_id", "infrastructure_document_id"), str),
)
_NEVER_NULL: dict[str, Callable[[Any], object]] = {
    "paused": int,
    "enforce_parameter_schema": int,
    "tags": _set,
    "job_variables": _document,
}


def _object_or_null(schema: msgspec.Raw) -> str | None:
    text = bytes(schema).decode().strip()
    if text == "null":
        return None
    if not text.startswith("{"):
        message = "parameter_openapi_schema must be an object."
        raise Invalid(message, loc=("body", "parameter_openapi_schema"))
    return text


async def queue_columns(unit: Unit, ids: Ids, given: DeploymentFields) -> dict[str, object]:
    """Find, or make, the queue the request names; nothing where it names neither pool nor queue.

    NotFound for a pool that is not there.  A pool given as null takes the deployment off its
    queue.
    """
    pool = given.work_pool_name
    queue = given.work_queue_name if isinstance(given.work_queue_name, str) else None
    if isinstance(pool, str):
        if queue is not None:
            return {"work_queue_id": await queues.ensure(unit, ids, pool, queue)}
        found = await unit.one(
            """select q.id, q.name from work_pool p join work_queue q on q.id = p.default_queue_id
            where p.workspace = ? and p.name = ?""",
            unit.workspace,
            pool,
        )
        if found is None:
            message = f"Work pool {pool!r} not found."
            raise NotFound(message)
        return {"work_queue_id": found[0], "work_queue_name": found[1]}
    if queue is not None:
        await _ensure_agent_pool(unit, ids)
        return {"work_queue_id": await queues.ensure(unit, ids, AGENT_POOL, queue)}
    if pool is None:
        return {"work_queue_id": None}
    return {}


async def _ensure_agent_pool(unit: Unit, ids: Ids) -> None:
    found = await unit.one(
        "select 1 from work_pool where workspace = ? and name = ?", unit.workspace, AGENT_POOL
    )
    if found is None:
        await pools.create(unit, ids, CreateWorkPool(name=AGENT_POOL, type=pools.AGENT))


async def limit_columns(
    unit: Unit, ids: Ids, deployment_id: str, given: DeploymentFields
) -> dict[str, object]:
    """Attach, change or detach the deployment's concurrency limit as the request says."""
    own, shared = given.concurrency_limit, given.global_concurrency_limit_id
    if isinstance(own, int) and shared not in (UNSET, None):
        message = "Give either concurrency_limit or global_concurrency_limit_id, not both."
        raise Invalid(message, loc=("body", "concurrency_limit"))
    if isinstance(own, int):
        if not 0 < own < 2**31:
            message = f"concurrency_limit must be greater than 0 and less than {2**31}, not {own}."
            raise Invalid(message, loc=("body", "concurrency_limit"))
        limit_id = await limits.set_deployment_limit(unit, ids, deployment_id, own)
        return {"concurrency_limit_id": limit_id}
    if shared not in (UNSET, None):
        if not await limits.exists(unit, str(shared)):
            message = f"Concurrency limit {shared} not found."
            raise NotFound(message)
        await limits.drop_deployment_limit(unit, deployment_id)
        return {"concurrency_limit_id": str(shared)}
    if own is None or shared is None:
        await limits.drop_deployment_limit(unit, deployment_id)
        return {"concurrency_limit_id": None}
    return {}
