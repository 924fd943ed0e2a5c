"""Events to store and to match."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from armillary.core import Core
from armillary.events.envelope import Event
from armillary_plugins.events.repository.storing import insert_events, new_event

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def number(n: int) -> str:
    return str(UUID(int=n))


def event(n: int, name: str = "it.happened", **more: Any) -> Event:
    """The event number ``n``, a second after the one before it."""
    given: dict[str, Any] = {
        "id": number(n),
        "event": name,
        "occurred": START + timedelta(seconds=n),
        "received": START,
        "resource": {"prefect.resource.id": "thing.1"},
        **more,
    }
    return Event(**given)


def body_of(made: Event) -> str:
    return msgspec.json.encode(made).decode()


async def store(core: Core, *events: Event, workspace: int = 1) -> int:
    new = [new_event(workspace, body_of(each)) for each in events]
    return await core.database.write(lambda unit: insert_events(unit, new), workspace=None)
