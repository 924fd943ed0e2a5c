"""The events of an automation's life: created, updated, deleted."""

from __future__ import annotations

from armillary.db.unit import Unit
from armillary.events.catalogue import EventType
from armillary.events.envelope import Event, resource
from armillary_plugins.automations.schemas import Automation, Written

_SUMMARIES = {
    "created": "An automation was created.",
    "updated": "An automation was changed, enabled or disabled.",
    "deleted": "An automation was deleted.",
}
EVENTS = tuple(
    EventType(name=f"prefect.automation.{verb}", summary=summary, payload=Automation)
    for verb, summary in _SUMMARIES.items()
)


def announce(unit: Unit, event_id: str, verb: str, automation: Written) -> None:
    """Put ``prefect.automation.<verb>`` into the outbox, with the automation as it then is."""
    event = Event(
        id=event_id,
        occurred=unit.now,
        received=unit.now,
        event=f"prefect.automation.{verb}",
        resource=resource("automation", automation.id, name=automation.name),
        payload=automation,
    )
    unit.emit(event.emitted())
