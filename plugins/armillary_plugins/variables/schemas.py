"""Variables and filters of them, on the wire.

A value is kept as it was written, to the last digit, but for blanks between its parts.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from armillary.api import Body, OrDefault
from armillary.criteria import AllTags, Combining, Ids, Names
from armillary.db.filters import TRUE, Condition, TagPlace
from armillary.errors import Invalid

VariableSort: TypeAlias = Literal["CREATED_DESC", "UPDATED_DESC", "NAME_DESC", "NAME_ASC"]
ABSENT = msgspec.Raw(b"")
"""A value that was not given; null is a value."""
LONGEST_NAME = 255
LARGEST_VALUE = 5000
_NAME = re.compile(r"[a-z0-9_-]*")


class CreateVariable(Body):
    """A variable to create."""

    name: str
    value: msgspec.Raw
    tags: OrDefault[list[str]] = msgspec.field(default_factory=list)


class UpdateVariable(Body):
    """Changes to a variable; what is absent stays, and so do a name and tags that are null."""

    name: str | None = None
    value: msgspec.Raw = ABSENT
    tags: list[str] | None = None


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A variable as answered."""

    id: str
    created: datetime
    updated: datetime
    name: str
    value: msgspec.Raw
    tags: list[str]


class VariableFilter(Combining):
    """Conditions on variables."""

    id: Ids | None = None
    name: Names | None = None
    tags: AllTags | None = None

    def on(self) -> Condition:
        """Make the condition on the table ``v``."""
        parts = []
        if self.id is not None:
            parts.append(self.id.on("v.id"))
        if self.name is not None:
            parts.append(self.name.on("v.name"))
        if self.tags is not None:
            parts.append(self.tags.on(TagPlace("v.tags")))
        return self.combine(parts)


class CountVariables(Body):
    """Which variables to count."""

    variables: VariableFilter | None = None

    def condition(self) -> Condition:
        """Say which variables ``v`` are meant."""
        return TRUE if self.variables is None else self.variables.on()


class FilterVariables(CountVariables):
    """Which variables to list."""

    sort: OrDefault[VariableSort] = "NAME_ASC"
    limit: int | None = None
    offset: OrDefault[int] = 0


def is_name(text: str) -> bool:
    """Whether a variable may have this name."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def checked_name(name: str) -> str:
    """Return the name; Invalid if it cannot be one."""
    if len(name) > LONGEST_NAME:
        raise Invalid(
            f"name has {len(name)} characters; a variable's name has at most {LONGEST_NAME}.",
            loc=("body", "name"),
            kind="string_too_long",
        )
    if not is_name(name):
        raise Invalid(
            f"name must be of lower-case letters, digits, dashes and underscores only, which "
            f"{name!r} is not.",
            loc=("body", "name"),
            kind="string_pattern_mismatch",
        )
    return name


def checked_value(value: msgspec.Raw) -> msgspec.Raw:
    """Return the value without blanks; Invalid if it is too large, or nobody could read it."""
    raw = bytes(value)
    try:
        whole = msgspec.json.format(raw, indent=-1)
        decoded = json.loads(raw)
    except (ValueError, RecursionError, msgspec.DecodeError) as error:
        raise _invalid(f"value cannot be read as JSON: {error}.") from error
    text = json.dumps(decoded, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode(errors="surrogatepass"))
    if size > LARGEST_VALUE:
        raise _invalid(
            f"value takes {size} bytes as JSON; a variable keeps at most {LARGEST_VALUE}: keep "
            "large data elsewhere, and its place in the variable."
        )
    return msgspec.Raw(whole)


def _invalid(message: str) -> Invalid:
    return Invalid(message, loc=("body", "value"))
