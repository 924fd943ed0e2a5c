"""What is said on the socket of a task worker; anything else ends it."""

from __future__ import annotations

import msgspec

PROTOCOL_ERROR = 4001
"""The code by which a socket is closed whose client does not keep to this."""

MAX_KEYS = 1000


class Subscription(msgspec.Struct, frozen=True):
    """Which tasks a worker runs, and who it is."""

    keys: tuple[str, ...]
    client_id: str


class Closing(Exception):
    """The talk ends, with this code and for this reason."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Said(msgspec.Struct):
    type: str = ""
    keys: list[str] | None = None
    client_id: str | None = None


def read_subscription(text: str) -> Subscription:
    """Read the first message after the handshake."""
    said = _read(text)
    if said.type != "subscribe":
        raise Closing(PROTOCOL_ERROR, "Expected 'subscribe' message")
    if not said.keys:
        raise Closing(PROTOCOL_ERROR, "Expected 'keys' in the 'subscribe' message")
    if not said.client_id:
        raise Closing(PROTOCOL_ERROR, "Expected 'client_id' in the 'subscribe' message")
    if len(said.keys) > MAX_KEYS:
        raise Closing(PROTOCOL_ERROR, f"Expected at most {MAX_KEYS} keys")
    if any("\0" in text for text in (said.client_id, *said.keys)):
        raise Closing(PROTOCOL_ERROR, "Expected text without NUL characters")
    return Subscription(tuple(dict.fromkeys(said.keys)), said.client_id)


def read_acknowledgement(text: str, *, expected: bool) -> None:
    """Read what a worker says of the run it was sent; Closing where it says anything else."""
    said = _read(text)
    if said.type == "quit":
        raise Closing(1000)
    if said.type != "ack" or not expected:
        raise Closing(PROTOCOL_ERROR, "Expected 'ack' or 'quit', once for each task run")


def _read(text: str) -> _Said:
    try:
        return msgspec.json.decode(text, type=_Said)
    except (msgspec.DecodeError, RecursionError):
        return _Said()
