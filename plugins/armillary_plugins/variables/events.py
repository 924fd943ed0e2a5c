"""Events of variables: made, changed, deleted."""

from __future__ import annotations

import msgspec

from armillary.db.unit import Unit
from armillary.events.catalogue import EventType
from armillary.events.envelope import Event, resource
from armillary.ids import Ids
from armillary_plugins.variables.schemas import Variable


class VariablePayload(msgspec.Struct, frozen=True, kw_only=True):
    """A variable as it then is."""

    name: str
    value: msgspec.Raw
    tags: list[str]


_SUMMARIES = {
    "created": "A variable was created.",
    "updated": "A variable was changed.",
    "deleted": "A variable was deleted.",
}
EVENTS = tuple(
    EventType(name=f"prefect.variable.{verb}", summary=summary, payload=VariablePayload)
    for verb, summary in _SUMMARIES.items()
)


def announce(unit: Unit, ids: Ids, verb: str, variable: Variable) -> None:
    """Put the event of a variable into the outbox, with the variable as it then is."""
    event = Event(
        id=ids.uuid7(),
        occurred=unit.now,
        received=unit.now,
        event=f"prefect.variable.{verb}",
        resource=resource("variable", variable.id, name=variable.name),
        payload=VariablePayload(name=variable.name, value=variable.value, tags=variable.tags),
    )
    unit.emit(event.emitted())
