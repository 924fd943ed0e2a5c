"""Hides what a schema calls a secret, and puts it back where the mask comes back.

A schema names secrets by the path to them, with dots; after ``*`` everything is one.  What lies
below a secret is secret as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from armillary_plugins.blocks.json_values import Json, Object

MASK = "********"
_Change: TypeAlias = Callable[[Json, Json], Json]
"""What becomes of a secret, given what is stored in its place."""


def hidden(data: Object, secrets: Iterable[str]) -> Object:
    """Put the mask in place of every secret; null, which tells nothing, stays."""
    return _changed(data, {}, secrets, lambda value, _: None if value is None else MASK)


def kept(data: Object, stored: Object, secrets: Iterable[str]) -> Object:
    """Put back what is stored where the mask stands for it."""

    def back(value: Json, before: Json) -> Json:
        return before if value == MASK and before is not None else value

    return _changed(data, stored, secrets, back)


def secrets_of(fields: Object) -> list[str]:
    """The paths a schema calls secret."""
    found = fields.get("secret_fields")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _changed(data: Object, stored: Object, secrets: Iterable[str], change: _Change) -> Object:
    for path in dict.fromkeys(secrets):
        data = _at(data, stored, path.split("."), change)
    return data


def _at(value: Json, stored: Json, path: list[str], change: _Change) -> Json:
    """Change what is at the end of the path; what is not there stays away."""
    if not path or path[0] == "*":
        return _below(value, stored, change)
    if isinstance(value, list):
        return [_at(each, _item(stored, n), path, change) for n, each in enumerate(value)]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    before = stored.get(path[0]) if isinstance(stored, dict) else None
    return {**value, path[0]: _at(value[path[0]], before, path[1:], change)}


def _below(value: Json, stored: Json, change: _Change) -> Json:
    """Change everything here and below; a list counts as one thing."""
    if not isinstance(value, dict):
        return change(value, stored)
    before = stored if isinstance(stored, dict) else {}
    return {name: _below(each, before.get(name), change) for name, each in value.items()}


def _item(stored: Json, place: int) -> Json:
    return stored[place] if isinstance(stored, list) and place < len(stored) else None
