"""An event as clients send it, and what makes one unacceptable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from armillary.errors import Invalid

MAX_NAME = 1024
MAX_LABELS = 500
MAX_RELATED = 100
MAX_BYTES = 1_500_000

RESOURCE_ID = "prefect.resource.id"
ROLE = "prefect.resource.role"

_EMPTY = msgspec.Raw(b"{}")
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


class InEvent(msgspec.Struct, kw_only=True):
    """An event from outside; ``payload`` stays the JSON it came as."""

    id: UUID
    occurred: datetime
    event: str
    resource: dict[str, str]
    related: list[dict[str, str]] | None = None
    payload: msgspec.Raw = _EMPTY
    follows: UUID | None = None


_decode = msgspec.json.Decoder(InEvent, strict=False).decode


def event_from_text(text: str | bytes) -> InEvent:
    """Decode one event, as it comes in a websocket frame; Invalid says what is wrong with it."""
    try:
        event = _decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Invalid(f"This is no event: {error}") from error
    check_event(event, ("body",))
    return event


def check_event(event: InEvent, loc: tuple[str | int, ...]) -> None:
    """Raise Invalid if an event is over a limit or lacks what identifies a resource."""
    if len(event.event) > MAX_NAME:
        message = f"The event's name has {len(event.event)} characters; {MAX_NAME} is the limit."
        raise Invalid(message, loc=(*loc, "event"))
    _check_resource(event.resource, (*loc, "resource"))
    related = event.related or ()
    if len(related) > MAX_RELATED:
        message = f"The event has {len(related)} related resources; {MAX_RELATED} is the limit."
        raise Invalid(message, loc=(*loc, "related"))
    for place, resource in enumerate(related):
        _check_resource(resource, (*loc, "related", place))
        if not resource.get(ROLE):
            message = f"A related resource needs the label {ROLE}."
            raise Invalid(message, loc=(*loc, "related", place))
    if not bytes(event.payload).lstrip().startswith((b"{", b"null")):
        message = "The payload of an event is a JSON object."
        raise Invalid(message, loc=(*loc, "payload"))


def _check_resource(resource: Mapping[str, str], loc: tuple[str | int, ...]) -> None:
    if not resource.get(RESOURCE_ID):
        raise Invalid(f"A resource needs the label {RESOURCE_ID}.", loc=loc)
    if len(resource) > MAX_LABELS:
        message = f"The resource has {len(resource)} labels; {MAX_LABELS} is the limit."
        raise Invalid(message, loc=loc)


def without_nul(json: bytes) -> bytes:
    r"""Put U+FFFD for every ``\u0000`` in JSON: no database of ours keeps NUL."""
    if b"\\u0000" not in json:
        return json
    return _NUL.sub(rb"\1\\ufffd", json)
