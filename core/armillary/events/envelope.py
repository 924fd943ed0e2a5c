"""An event as stored and streamed: what happened to which resource, and what that is related to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from armillary.db.unit import Emitted

TOPIC = "events"
_encode = msgspec.json.Encoder().encode


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event, in the field order of the wire."""

    occurred: datetime
    event: str
    resource: Mapping[str, str]
    related: Sequence[Mapping[str, str]] = ()
    payload: Any = msgspec.field(default_factory=dict)
    id: str
    follows: str | None = None
    received: datetime

    def emitted(self) -> Emitted:
        """Shape it for the outbox."""
        return Emitted(TOPIC, self.id, _encode(self).decode())


def resource(kind: str, key: str, *, role: str | None = None, name: str | None = None,
             **labels: str) -> dict[str, str]:  # fmt: skip
    """Describe a resource: ``prefect.<kind>.<key>``; label names have dashes for underscores."""
    described = {"prefect.resource.id": f"prefect.{kind}.{key}"}
    if role is not None:
        described["prefect.resource.role"] = role
    if name is not None:
        described["prefect.resource.name"] = name
    for label, value in labels.items():
        described[f"prefect.{label.replace('__', '.').replace('_', '-')}"] = value
    return described
