"""A JSON schema as what a form asks for: one node a field, references and nulls resolved.

What has no natural field (several types at once, free objects, tuples, recursion) is asked for as
JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

Json: TypeAlias = Any
Kind: TypeAlias = Literal[
    "text", "long", "integer", "number", "boolean", "choice", "choices", "array", "object", "json"
]
DEEPEST = 5
"""Objects and lists within each other; what lies deeper is asked for as JSON."""
_LONG = 200
_INPUTS = {"date": "date", "time": "time", "password": "password", "email": "email"}
_SCALARS: Mapping[str, Kind] = {
    "integer": "integer", "number": "number", "boolean": "boolean",
}  # fmt: skip


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for in one place."""

    kind: Kind
    title: str = ""
    description: str = ""
    nullable: bool = False
    default: Json = msgspec.UNSET
    input_type: str = "text"
    hint: str = ""
    """What an empty field shows."""
    choices: tuple[Json, ...] = ()
    items: Node | None = None
    members: tuple[Member, ...] = ()


class Member(msgspec.Struct, frozen=True):
    """A node within an object."""

    name: str
    node: Node
    required: bool


def node_of(schema: Json) -> Node:
    """Return what a schema asks for."""
    root = schema if isinstance(schema, dict) else {}
    return _node(root, root, path=(), depth=0)


def _node(schema: Json, root: Mapping[str, Json], *, path: tuple[str, ...], depth: int) -> Node:
    resolved, path, nullable = _resolved(schema, root, path)
    if resolved is None or depth > DEEPEST:
        outer = schema if isinstance(schema, dict) else {}
        return Node(kind="json", nullable=nullable, **_words(outer))
    words = _words(resolved)
    kind = resolved.get("type")
    if "enum" in resolved or "const" in resolved:
        return _choice(resolved, nullable=nullable, **words)
    if kind in _DEEPER:
        return _DEEPER[kind](resolved, root, path=path, depth=depth, nullable=nullable)
    if kind == "string":
        return _string(resolved, nullable=nullable, **words)
    simple = _SCALARS.get(kind, "json") if isinstance(kind, str) else "json"
    return Node(kind=simple, nullable=nullable, **words)


def _words(schema: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "title": str(schema.get("title") or ""),
        "description": str(schema.get("description") or ""),
        "default": schema.get("default", msgspec.UNSET),
    }


def _resolved(
    schema: Json, root: Mapping[str, Json], path: tuple[str, ...]
) -> tuple[dict[str, Json] | None, tuple[str, ...], bool]:
    """Follow references and take null out; None where that ends in a circle or in many types."""
    nullable = False
    while True:
        if not isinstance(schema, dict):
            return None, path, nullable
        own = {name: value for name, value in schema.items() if name not in _FOLLOWED}
        if isinstance(reference := schema.get("$ref"), str):
            if reference in path:
                return None, path, nullable
            path = (*path, reference)
            target = _pointed(root, reference)
        elif (found := _only(schema)) is not None:
            target, null = found
            nullable = nullable or null
        elif isinstance(kinds := schema.get("type"), list):
            rest = [kind for kind in kinds if kind != "null"]
            nullable = nullable or len(rest) < len(kinds)
            return ({**schema, "type": rest[0]} if len(rest) == 1 else None), path, nullable
        elif any(name in schema for name in _FOLLOWED):
            return None, path, nullable
        else:
            return schema, path, nullable
        if not isinstance(target, dict):
            return None, path, nullable
        schema = {**target, **own}


_FOLLOWED = ("$ref", "allOf", "anyOf", "oneOf")


def _only(schema: Mapping[str, Json]) -> tuple[Json, bool] | None:
    """The one alternative that is not null, and whether null is another."""
    for name in ("allOf", "anyOf", "oneOf"):
        parts = schema.get(name)
        if isinstance(parts, list):
            rest = [part for part in parts if part != {"type": "null"}]
            if len(rest) == 1:
                return rest[0], len(rest) < len(parts)
    return None


def _pointed(root: Mapping[str, Json], reference: str) -> Json:
    found: Json = root
    if not reference.startswith("#/"):
        return None
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _choice(schema: Mapping[str, Json], *, nullable: bool, **words: Json) -> Node:
    values = [schema["const"]] if "const" in schema else schema["enum"]
    if not isinstance(values, list) or not values:
        return Node(kind="json", nullable=nullable, **words)
    return Node(
        kind="choice",
        nullable=nullable or None in values,
        choices=tuple(value for value in values if value is not None),
        **words,
    )


def _object(
    schema: Mapping[str, Json],
    root: Mapping[str, Json],
    *,
    path: tuple[str, ...],
    depth: int,
    nullable: bool,
) -> Node:
    properties: Json = schema.get("properties")
    free = not isinstance(properties, dict) or not (properties or depth == 0)
    if free or "block_type_slug" in schema:
        return Node(kind="json", nullable=nullable, **_words(schema))
    listed = schema.get("required")
    required = listed if isinstance(listed, list) else []
    members = [
        Member(name, _node(member, root, path=path, depth=depth + 1), name in required)
        for name, member in _in_order(properties)
    ]
    return Node(kind="object", nullable=nullable, members=tuple(members), **_words(schema))


def _in_order(properties: Mapping[str, Json]) -> list[tuple[str, Json]]:
    def place(entry: tuple[str, Json]) -> float:
        given = entry[1].get("position") if isinstance(entry[1], dict) else None
        return given if isinstance(given, int | float) else float("inf")

    return sorted(properties.items(), key=place)


def _array(
    schema: Mapping[str, Json],
    root: Mapping[str, Json],
    *,
    path: tuple[str, ...],
    depth: int,
    nullable: bool,
) -> Node:
    words = _words(schema)
    items = schema.get("items")
    if not isinstance(items, dict) or not items or schema.get("prefixItems"):
        return Node(kind="json", nullable=nullable, **words)
    item = _node(items, root, path=path, depth=depth + 1)
    if item.kind == "json":
        return Node(kind="json", nullable=nullable, **words)
    if item.kind == "choice" and schema.get("uniqueItems"):
        return Node(kind="choices", nullable=nullable, choices=item.choices, **words)
    return Node(kind="array", nullable=nullable, items=item, **words)


def _string(schema: Mapping[str, Json], *, nullable: bool, **words: Json) -> Node:
    shape = schema.get("format")
    shape = shape if isinstance(shape, str) else ""
    longest = schema.get("maxLength")
    long = shape == "json-string" or (isinstance(longest, int) and longest > _LONG)
    return Node(
        kind="long" if long else "text",
        nullable=nullable,
        input_type=_INPUTS.get(shape, "text"),
        hint="2026-11-20T03:00:00Z" if shape == "date-time" else "",
        **words,
    )


_DEEPER: Mapping[Any, Callable[..., Node]] = {"object": _object, "array": _array}
