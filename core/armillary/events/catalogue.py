"""Every type of event that is emitted here, with what it carries."""

from __future__ import annotations

from typing import Any

import msgspec


class EventType(msgspec.Struct, frozen=True, kw_only=True):
    """One type of event: its name on the wire, a sentence, and the shape of its payload."""

    name: str
    summary: str
    payload: Any = None
