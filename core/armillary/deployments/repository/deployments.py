"""Making, changing and deleting deployments."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from armillary.db.unit import Row, Unit
from armillary.deleting.deletions import Deletions
from armillary.deployments.events import WATCHED, announce
from armillary.deployments.repository import schedules
from armillary.deployments.repository.fields import columns_of, limit_columns, queue_columns
from armillary.deployments.scheduled import delete_scheduled
from armillary.deployments.schemas import CreateDeployment, UpdateDeployment
from armillary.errors import Conflict, NotFound
from armillary.ids import Ids

_INSERT = """
insert into deployment (id, workspace, created, updated, name, flow_id, paused, job_variables,
  parameters, tags, labels, status, enforce_parameter_schema)
values (?, ?, ?, ?, ?, ?, 0, '{}', '{}', '[]', ?, 'NOT_READY', 1)
"""
_WATCHED = f"select {', '.join(WATCHED)} from deployment where id = ?"
_DOCUMENTS = frozenset(
    {"tags", "parameters", "parameter_openapi_schema", "pull_steps", "job_variables", "labels",
     "concurrency_options"}
)  # fmt: skip
_encode = msgspec.json.Encoder().encode
_labels = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


async def upsert(
    unit: Unit, ids: Ids, new: CreateDeployment, *, parameters: str
) -> tuple[str, bool]:
    """Make a deployment, or change the one of that flow and name; return its id and if it is new.

    ``parameters`` is the checked JSON text; omitted ones are reset.  Schedules are replaced.
    Raises Conflict if the flow is not there.
    """
    flow = await unit.one(
        "select labels from flow where id = ? and workspace = ? {for_update}",
        str(new.flow_id),
        unit.workspace,
    )
    if flow is None:
        raise Conflict
    existing = await unit.value(
        "select id from deployment where flow_id = ? and name = ? {for_update}",
        str(new.flow_id),
        new.name,
    )
    deployment_id = str(existing or ids.uuid7())
    if existing is None:
        await unit.run(
            _INSERT, deployment_id, unit.workspace, unit.micros, unit.micros, new.name,
            str(new.flow_id), _encode({}).decode(),
        )  # fmt: skip
    else:
        await delete_scheduled(unit, deployment_id, auto_only=True, future_only=True)
    before = await _watched(unit, deployment_id)
    columns: dict[str, object] = {
        **columns_of(new),
        **await queue_columns(unit, ids, new),
        **await limit_columns(unit, ids, deployment_id, new),
        "parameters": parameters,
        "labels": _all_labels(flow[0], new),
    }
    await _write(unit, deployment_id, columns)
    await schedules.replace_all(unit, ids, deployment_id, new.schedules)
    if existing is None:
        await announce(unit, ids, "created", deployment_id)
    else:
        await _announce_changes(unit, ids, deployment_id, before)
    return deployment_id, existing is None


async def patch(
    unit: Unit,
    ids: Ids,
    deployment_id: str,
    changes: UpdateDeployment,
    *,
    parameters: str | None,
) -> None:
    """Change what is given of a deployment; NotFound without it."""
    await require(unit, deployment_id)
    await delete_scheduled(unit, deployment_id, auto_only=True, future_only=True)
    before = await _watched(unit, deployment_id)
    columns = {
        **columns_of(changes),
        **await queue_columns(unit, ids, changes),
        **await limit_columns(unit, ids, deployment_id, changes),
    }
    if parameters is not None:
        columns["parameters"] = parameters
    await _write(unit, deployment_id, columns)
    if isinstance(changes.schedules, list):
        await schedules.patch_all(unit, ids, deployment_id, changes.schedules)
    await _announce_changes(unit, ids, deployment_id, before)


async def require(unit: Unit, deployment_id: str) -> None:
    """Raise NotFound unless the workspace has this deployment; locks it."""
    found = await unit.one(
        "select 1 from deployment where id = ? and workspace = ? {for_update}",
        deployment_id,
        unit.workspace,
    )
    if found is None:
        message = "Deployment not found."
        raise NotFound(message)


async def set_paused(unit: Unit, ids: Ids, deployment_id: str, *, paused: bool) -> None:
    """Pause or resume a deployment's schedules; pausing deletes what they had ahead."""
    await require(unit, deployment_id)
    before = await _watched(unit, deployment_id)
    await _write(unit, deployment_id, {"paused": int(paused)})
    if paused:
        await delete_scheduled(unit, deployment_id, auto_only=True, future_only=False)
    await _announce_changes(unit, ids, deployment_id, before)


async def delete(unit: Unit, ids: Ids, deployment_id: str, deletions: Deletions) -> None:
    """Delete a deployment, its schedules, its own limit and the runs it has ahead."""
    await require(unit, deployment_id)
    await announce(unit, ids, "deleted", deployment_id)
    await deletions.family.release(unit, "deployment", [deployment_id])
    await unit.run("delete from deployment where id = ?", deployment_id)
    await deletions.delete_below(unit, "deployment", [deployment_id])


async def _write(unit: Unit, deployment_id: str, columns: Mapping[str, object]) -> None:
    assignments = ", ".join(f"{column} = ?" for column in ("updated", *columns))
    await unit.run(
        f"update deployment set {assignments} where id = ?",
        unit.micros,
        *columns.values(),
        deployment_id,
    )


async def _watched(unit: Unit, deployment_id: str) -> Row:
    row = await unit.one(_WATCHED, deployment_id)
    if row is None:
        message = "Deployment not found."
        raise NotFound(message)
    return tuple(row)


async def _announce_changes(unit: Unit, ids: Ids, deployment_id: str, before: Row) -> None:
    after = await _watched(unit, deployment_id)
    updates = {
        name: {"from": _shown(name, was), "to": _shown(name, now)}
        for name, was, now in zip(WATCHED, before, after, strict=True)
        if was != now
    }
    if updates:
        await announce(unit, ids, "updated", deployment_id, updates=updates)


def _shown(name: str, value: object) -> object:
    if name in _DOCUMENTS and isinstance(value, str):
        return msgspec.Raw(value.encode())
    return value


def _all_labels(flow_labels: str, new: CreateDeployment) -> str:
    merged = {
        **_labels(flow_labels),
        "prefect.flow.id": msgspec.Raw(_encode(str(new.flow_id))),
        **new.labels,
    }
    return _encode(merged).decode()
