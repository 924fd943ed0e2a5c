"""An event as clients send it, and what makes one unacceptable."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec

from armillary.errors import Invalid
from armillary.exact_json import TOO_LONG, has_too_long_number

MAX_NAME = 1024
MAX_LABELS = 500
MAX_RELATED = 100
MAX_BYTES = 1_500_000

RESOURCE_ID = "prefect.resource.id"
ROLE = "prefect.resource.role"

_EMPTY = msgspec.Raw(b"{}")
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_CANONICAL = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_SHOWN = 100

EventId: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uuid"})]
"""Not checked by its type: see :func:`check_event`."""


class InEvent(msgspec.Struct, kw_only=True):
    """An event from outside; ``payload`` stays the JSON it came as.

    Its id stays text, which :func:`check_event` brings into canonical form: every event's is asked
    for several times, and to write a UUID object takes longer than all else that is checked.
    """

    id: EventId
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
    if has_too_long_number(bytes(event.payload)):
        raise Invalid(TOO_LONG)
    check_event(event, ("body",))
    return event


def check_event(event: InEvent, loc: tuple[str | int, ...]) -> None:
    """Raise Invalid if an event is over a limit or lacks what identifies it or a resource."""
    if not _CANONICAL.fullmatch(event.id):
        event.id = _canonical(event.id, (*loc, "id"))
    if len(event.event) > MAX_NAME:
        message = f"The event's name has {len(event.event)} characters; {MAX_NAME} is the limit."
        raise Invalid(message, loc=(*loc, "event"))
    if not _is_described(event.resource):
        raise _not_described(event.resource, (*loc, "resource"))
    if event.related:
        _check_related(event.related, (*loc, "related"))
    if not bytes(event.payload).lstrip().startswith((b"{", b"null")):
        message = "The payload of an event is a JSON object."
        raise Invalid(message, loc=(*loc, "payload"))


def _check_related(related: Sequence[Mapping[str, str]], loc: tuple[str | int, ...]) -> None:
    if len(related) > MAX_RELATED:
        message = f"The event has {len(related)} related resources; {MAX_RELATED} is the limit."
        raise Invalid(message, loc=loc)
    for place, resource in enumerate(related):
        if not _is_described(resource):
            raise _not_described(resource, (*loc, place))
        if not resource.get(ROLE):
            message = f"A related resource needs the label {ROLE}."
            raise Invalid(message, loc=(*loc, place))


def _is_described(resource: Mapping[str, str]) -> bool:
    return bool(resource.get(RESOURCE_ID)) and len(resource) <= MAX_LABELS


def _not_described(resource: Mapping[str, str], loc: tuple[str | int, ...]) -> Invalid:
    if not resource.get(RESOURCE_ID):
        return Invalid(f"A resource needs the label {RESOURCE_ID}.", loc=loc)
    message = f"The resource has {len(resource)} labels; {MAX_LABELS} is the limit."
    return Invalid(message, loc=loc)


def _canonical(text: str, loc: tuple[str | int, ...]) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        message = f"The id of an event is a UUID, not {text[:_SHOWN]!r}."
        raise Invalid(message, loc=loc, kind="uuid_parsing") from error


def without_nul(json: bytes) -> bytes:
    r"""Put U+FFFD for every ``\u0000`` in JSON: no database of ours keeps NUL."""
    if b"\\u0000" not in json:
        return json
    return _NUL.sub(rb"\1\\ufffd", json)
