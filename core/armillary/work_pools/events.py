"""Events of work pools and queues: made, changed, deleted, and every change of status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec

from armillary.clock import from_micros
from armillary.db.unit import Unit
from armillary.events.envelope import Event
from armillary.ids import Ids

STATUS_FOLLOWS_WITHIN = timedelta(minutes=10)


class PoolRef(msgspec.Struct, frozen=True, kw_only=True):
    """A pool, as far as events name it."""

    id: str
    name: str
    type: str
    status: str | None = None
    last_status_event_id: str | None = None
    last_status_at: int | None = None


class QueueRef(msgspec.Struct, frozen=True, kw_only=True):
    """A queue, as far as events name it."""

    id: str
    name: str


def emit_pool(  # noqa: PLR0913 - one event, all its parts
    unit: Unit,
    event_id: str,
    verb: str,
    pool: PoolRef,
    *,
    default_queue: QueueRef | None = None,
    updates: Mapping[str, Mapping[str, object]] | None = None,
    follows: str | None = None,
) -> None:
    """Announce something about a pool."""
    related = []
    if default_queue is not None:
        related.append(
            {
                "prefect.resource.id": f"prefect.work-queue.{default_queue.id}",
                "prefect.resource.role": "default-queue",
                "prefect.resource.name": default_queue.name,
            }
        )
    _emit(
        unit,
        event_id,
        f"prefect.work-pool.{verb}",
        {
            "prefect.resource.id": f"prefect.work-pool.{pool.id}",
            "prefect.resource.name": pool.name,
            "prefect.work-pool.type": pool.type,
        },
        related,
        _payload(updates),
        follows,
    )


def emit_queue(  # noqa: PLR0913 - one event, all its parts
    unit: Unit,
    event_id: str,
    verb: str,
    queue: QueueRef,
    pool: PoolRef,
    *,
    updates: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """Announce something about a queue."""
    related = [
        {
            "prefect.resource.id": f"prefect.work-pool.{pool.id}",
            "prefect.resource.role": "work-pool",
            "prefect.resource.name": pool.name,
            "prefect.work-pool.type": pool.type,
        }
    ]
    resource = {
        "prefect.resource.id": f"prefect.work-queue.{queue.id}",
        "prefect.resource.name": queue.name,
        "prefect.resource.role": "work-queue",
    }
    _emit(unit, event_id, f"prefect.work-queue.{verb}", resource, related, _payload(updates), None)


async def set_pool_status(unit: Unit, ids: Ids, pool: PoolRef, status: str) -> None:
    """Store a pool's status and announce it; the event follows the last one if that is recent."""
    event_id = ids.uuid7()
    follows = None
    if pool.last_status_event_id is not None and pool.last_status_at is not None:
        age = unit.now - from_micros(pool.last_status_at)
        follows = pool.last_status_event_id if age < STATUS_FOLLOWS_WITHIN else None
    await unit.run(
        """update work_pool set status = ?, last_transitioned_status_at = ?,
          last_status_event_id = ?, updated = ? where id = ?""",
        status,
        unit.micros,
        event_id,
        unit.micros,
        pool.id,
    )
    emit_pool(unit, event_id, word(status), pool, follows=follows)


def word(status: str) -> str:
    """Turn a status into the last part of its event's name."""
    return status.lower().replace("_", "-")


def _payload(updates: Mapping[str, Mapping[str, object]] | None) -> dict[str, object]:
    if updates is None:
        return {}
    return {"updated_fields": list(updates), "updates": dict(updates)}


def _emit(  # noqa: PLR0913, PLR0917 - one event, all its parts
    unit: Unit,
    event_id: str,
    name: str,
    resource: dict[str, str],
    related: Sequence[dict[str, str]],
    payload: dict[str, object],
    follows: str | None,
) -> None:
    event = Event(
        id=event_id,
        occurred=unit.now,
        received=unit.now,
        event=name,
        resource=resource,
        related=related,
        payload=payload,
        follows=follows,
    )
    unit.emit(event.emitted())
