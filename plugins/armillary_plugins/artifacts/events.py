"""Events of collections of artifacts: made, having another latest, gone."""

from __future__ import annotations

from typing import Any

import msgspec

from armillary.db.unit import Unit
from armillary.events.catalogue import EventType
from armillary.events.envelope import Event, resource
from armillary.ids import Ids
from armillary_plugins.artifacts.schemas import Artifact

_LARGEST = 100_000
"""Bytes of data that go into an event."""


class CollectionPayload(msgspec.Struct, frozen=True, kw_only=True):
    """The latest artifact of a collection; ``data`` is null where it is large."""

    key: str
    type: str | None
    data: Any
    description: str | None


_SUMMARIES = {
    "created": "The first artifact of a key was made.",
    "updated": "A key has another latest artifact.",
    "deleted": "The last artifact of a key was deleted.",
}
EVENTS = tuple(
    EventType(name=f"prefect.artifact-collection.{verb}", summary=text, payload=CollectionPayload)
    for verb, text in _SUMMARIES.items()
)


def announce(unit: Unit, ids: Ids, verb: str, *, collection_id: str, latest: Artifact) -> None:
    """Put the event of a collection into the outbox."""
    key = latest.key or ""
    related = [resource("artifact", latest.id, role="latest")]
    if latest.flow_run_id is not None:
        related.append(resource("flow-run", latest.flow_run_id, role="flow-run"))
    if latest.task_run_id is not None:
        related.append(resource("task-run", latest.task_run_id, role="task-run"))
    small = len(bytes(latest.data)) <= _LARGEST
    event = Event(
        id=ids.uuid7(),
        occurred=unit.now,
        received=unit.now,
        event=f"prefect.artifact-collection.{verb}",
        resource=resource("artifact-collection", collection_id, name=key),
        related=related,
        payload=CollectionPayload(
            key=key,
            type=latest.type,
            data=latest.data if small else None,
            description=latest.description,
        ),
    )
    unit.emit(event.emitted())
