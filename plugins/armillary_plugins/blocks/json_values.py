"""JSON objects as Python values: numbers as they were written, and no deeper than can be walked."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import msgspec

from armillary.errors import Invalid
from armillary.exact_json import read_json

Json: TypeAlias = Any
Object: TypeAlias = dict[str, Json]
DEEPEST = 200
"""Objects and lists within each other: everything that walks them may then call itself."""


def object_of(raw: msgspec.Raw | bytes | str, member: str) -> Object:
    """Read an object a client sent; Invalid says what is wrong with the member."""
    text = raw if isinstance(raw, str) else bytes(raw)
    try:
        value = read_json(text)
    except (ValueError, RecursionError) as error:
        message = f"{member} cannot be read as JSON: {error}."
        raise Invalid(message, loc=("body", member), kind="json_invalid") from error
    if not isinstance(value, dict):
        message = f"{member} must be an object, not {_KINDS.get(type(value), 'a number')}."
        raise Invalid(message, loc=("body", member), kind="dict_type")
    if _deeper_than(value, DEEPEST):
        message = f"{member} is nested more than {DEEPEST} levels deep."
        raise Invalid(message, loc=("body", member), kind="recursion_loop")
    return value


def given_object(raw: msgspec.Raw, member: str) -> Object:
    """Read an object a client sent; null, or nothing, means an empty one."""
    return {} if bytes(raw) in (b"", b"null") else object_of(raw, member)


_KINDS: dict[type, str] = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def text_of(value: Json) -> str:
    """Write a value as it is stored."""
    return json.dumps(value, separators=(",", ":"))


def raw_of(value: Json) -> msgspec.Raw:
    """Write a value as a part of an answer: numbers of any length go through."""
    return msgspec.Raw(text_of(value).encode())


def _deeper_than(value: Json, levels: int) -> bool:
    layer = [value]
    for _ in range(levels + 1):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not layer:
            return False
    return True
