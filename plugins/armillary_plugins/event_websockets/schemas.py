"""What streams are asked for."""

from __future__ import annotations

import msgspec

from armillary.api import decode
from armillary.errors import Invalid
from armillary_plugins.events.schemas import EventFilter


class StreamRequest(msgspec.Struct, frozen=True):
    """Which events to stream, and whether those of the last minutes come first."""

    filter: EventFilter
    backfill: bool


class _Message(msgspec.Struct):
    type: str = ""
    filter: msgspec.Raw = msgspec.Raw(b"null")
    backfill: bool | None = True


def read_request(text: str) -> StreamRequest:
    """Read the first message of a stream; Invalid says, in its reason, what is wrong with it."""
    try:
        message = msgspec.json.decode(text, type=_Message)
    except (msgspec.DecodeError, RecursionError):
        message = _Message()
    if message.type != "filter":
        raise Invalid("Expected 'filter' message")
    try:
        found = decode(EventFilter, bytes(message.filter))
    except Invalid as error:
        raise Invalid(f"Invalid filter: {error}") from error
    found.order = "ASC"
    return StreamRequest(found, message.backfill is not False)
