"""The events of a flow's life: created, updated, deleted."""

from __future__ import annotations

from armillary.db.unit import Unit
from armillary.events.envelope import Event
from armillary.flows.schemas import Flow


def announce(unit: Unit, event_id: str, verb: str, flow: Flow) -> None:
    """Put ``prefect.flow.<verb>`` into the outbox, with the flow as it then is."""
    event = Event(
        id=event_id,
        occurred=unit.now,
        received=unit.now,
        event=f"prefect.flow.{verb}",
        resource={
            "prefect.resource.id": f"prefect.flow.{flow.id}",
            "prefect.resource.name": flow.name,
        },
        payload={"name": flow.name, "tags": flow.tags, "labels": flow.labels},
    )
    unit.emit(event.emitted())
