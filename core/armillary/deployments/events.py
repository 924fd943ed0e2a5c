"""Events of deployments: made, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping

from armillary.db.unit import Unit
from armillary.events.envelope import Event
from armillary.ids import Ids

_REFERENCES = """
select d.name, f.id, f.name, q.id, q.name, p.id, p.name, p.type, l.id, l.name
from deployment d join flow f on f.id = d.flow_id
  left join work_queue q on q.id = d.work_queue_id
  left join work_pool p on p.id = q.work_pool_id
  left join concurrency_limit l on l.id = d.concurrency_limit_id
where d.id = ?
"""
WATCHED = (
    "description", "tags", "parameters", "parameter_openapi_schema", "enforce_parameter_schema",
    "entrypoint", "path", "pull_steps", "work_queue_id", "job_variables", "paused", "labels",
    "version", "concurrency_limit_id", "concurrency_options",
)  # fmt: skip
"""Columns whose change is announced."""
_ON_THE_WIRE = {"job_variables": "infra_overrides"}


async def announce(
    unit: Unit,
    ids: Ids,
    verb: str,
    deployment_id: str,
    *,
    updates: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """Announce that a deployment was created, updated or is about to be deleted."""
    row = await unit.one(_REFERENCES, deployment_id)
    if row is None:
        return
    related = [_reference("flow", row[1], row[2])]
    if row[3] is not None:
        related.append(_reference("work-queue", row[3], row[4]))
    if row[5] is not None:
        pool = _reference("work-pool", row[5], row[6])
        pool["prefect.work-pool.type"] = row[7]
        related.append(pool)
    if row[8] is not None:
        related.append(_reference("concurrency-limit", row[8], row[9]))
    payload: dict[str, object] = {}
    if updates is not None:
        named = {_ON_THE_WIRE.get(name, name): change for name, change in updates.items()}
        payload = {"updated_fields": list(named), "updates": named}
    event = Event(
        id=ids.uuid7(),
        occurred=unit.now,
        received=unit.now,
        event=f"prefect.deployment.{verb}",
        resource={
            "prefect.resource.id": f"prefect.deployment.{deployment_id}",
            "prefect.resource.name": row[0],
        },
        related=related,
        payload=payload,
    )
    unit.emit(event.emitted())


def _reference(kind: str, key: str, name: str) -> dict[str, str]:
    return {
        "prefect.resource.id": f"prefect.{kind}.{key}",
        "prefect.resource.role": kind,
        "prefect.resource.name": name,
    }
