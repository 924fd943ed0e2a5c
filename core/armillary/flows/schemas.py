"""Flows as clients send them and as they are answered."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from armillary.api import Body, OrDefault
from armillary.errors import Invalid

_NAME = re.compile(r"[^/%&><]+")


class CreateFlow(Body):
    """A flow to create."""

    name: str
    tags: OrDefault[list[str]] = msgspec.field(default_factory=list)
    labels: OrDefault[dict[str, str | bool | int | float]] = msgspec.field(default_factory=dict)

    def checked_name(self) -> str:
        """Return the name; Invalid if it cannot be one."""
        if not _NAME.fullmatch(self.name):
            message = (
                f"The flow name {self.name!r} must not be empty and must not contain any of "
                "/ % & > <."
            )
            raise Invalid(message, loc=("body", "name"), kind="string_pattern_mismatch")
        return self.name


class UpdateFlow(Body):
    """Changes to a flow; what is absent stays."""

    tags: list[str] | None = None


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow as answered."""

    id: str
    created: datetime
    updated: datetime
    name: str
    tags: msgspec.Raw
    labels: msgspec.Raw


class Deleted(msgspec.Struct, frozen=True):
    """The ids of what was deleted."""

    deleted: list[str]
