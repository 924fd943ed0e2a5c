"""Events of limits: made, changed, deleted."""

from __future__ import annotations

import msgspec

from armillary.concurrency.slots import TAG_PREFIX, Limit
from armillary.db.unit import Unit
from armillary.events.catalogue import EventType
from armillary.events.envelope import Event
from armillary.ids import Ids


class LimitPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A limit as it then is."""

    name: str
    limit: int
    active: bool
    slot_decay_per_second: float


class TagPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A limit on a tag as it then is, where it was changed as one."""

    tag: str
    concurrency_limit: int


_SUMMARIES = {
    "created": "A concurrency limit was created.",
    "updated": "A concurrency limit was changed.",
    "deleted": "A concurrency limit was deleted.",
}
EVENTS = tuple(
    EventType(
        name=f"prefect.concurrency-limit.{verb}",
        summary=summary,
        payload=LimitPayload | TagPayload,
    )
    for verb, summary in _SUMMARIES.items()
)


def announce(unit: Unit, ids: Ids, verb: str, limit: Limit) -> None:
    """Put the event of a limit into the outbox."""
    payload = LimitPayload(
        name=limit.name,
        limit=limit.limit,
        active=limit.active,
        slot_decay_per_second=limit.decay,
    )
    unit.emit(_event(unit, ids.uuid7(), verb, limit, payload).emitted())


def announce_tag(unit: Unit, ids: Ids, verb: str, limit: Limit) -> None:
    """Put the event of a limit on a tag into the outbox, in the words of the older routes."""
    tag = limit.name.removeprefix(TAG_PREFIX)
    payload = TagPayload(tag=tag, concurrency_limit=limit.limit)
    unit.emit(_event(unit, ids.uuid7(), verb, limit, payload).emitted())


def _event(
    unit: Unit, event_id: str, verb: str, limit: Limit, payload: LimitPayload | TagPayload
) -> Event:
    return Event(
        id=event_id,
        occurred=unit.now,
        received=unit.now,
        event=f"prefect.concurrency-limit.{verb}",
        resource={
            "prefect.resource.id": f"prefect.concurrency-limit.{limit.id}",
            "prefect.resource.name": payload.tag
            if isinstance(payload, TagPayload)
            else payload.name,
        },
        payload=msgspec.to_builtins(payload),
    )
