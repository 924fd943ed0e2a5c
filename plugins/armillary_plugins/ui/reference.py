"""Our own OpenAPI document as people read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from armillary_plugins.ui.reference_schemas import (
    Kind,
    Member,
    OneAnswer,
    Operation,
    Parameter,
    Piece,
    Reference,
    Refusals,
    Shape,
    Topic,
)

_Json: TypeAlias = Mapping[str, Any]
_NOT_A_WORD = re.compile(r"\W+")
_SCHEMAS = "#/components/schemas/"
_BOUNDS = {
    "minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most",
    "exclusiveMaximum": "less than", "minLength": "not shorter than",
    "maxLength": "not longer than", "pattern": "like",
}  # fmt: skip


def shaped(described: _Json) -> Reference:
    """Put an OpenAPI document in the order in which it is read."""
    by_tag: dict[str, list[tuple[str, str, _Json]]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            whole = {**operation, "refusals": _refusals(operation, described["components"])}
            by_tag.setdefault(operation["tags"][0], []).append((path, method.upper(), whole))
    schemas = described["components"]["schemas"]
    return Reference(
        version=described["info"]["version"],
        topics=tuple(
            Topic(
                slug=_NOT_A_WORD.sub("-", tag.lower()).strip("-"),
                name=tag,
                operations=tuple(_operation(*each) for each in found),
                shapes=tuple(_shape(name, schemas[name]) for name in _reached(found, schemas)),
            )
            for tag, found in sorted(by_tag.items(), key=lambda each: each[0].lower())
        ),
    )


def _refusals(operation: _Json, components: _Json) -> dict[str, _Json]:
    """Look up the answers that are described elsewhere, as many operations share them."""
    return {
        status: components["responses"][_name(answer)]
        for status, answer in operation["responses"].items()
        if "$ref" in answer
    }


def _reached(found: object, schemas: _Json) -> list[str]:
    """Name the shapes that something leads to, by way of others as well."""
    reached: dict[str, None] = {}
    waiting = list(_named(found))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = None
            waiting += _named(schemas[name])
    return sorted(reached, key=str.lower)


def _named(within: object) -> Iterator[str]:
    if isinstance(within, Mapping):
        if within.get("$ref", "").startswith(_SCHEMAS):
            yield _name(within)
        for each in within.values():
            yield from _named(each)
    elif isinstance(within, list | tuple):
        for each in within:
            yield from _named(each)


def _name(schema: _Json) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _operation(path: str, method: str, operation: _Json) -> Operation:
    return Operation(
        id=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        scope=operation.get("x-scope"),
        parameters=tuple(_parameter(each) for each in operation.get("parameters", ())),
        body=_content(operation.get("requestBody", {})),
        answers=tuple(
            OneAnswer(status=status, phrase=answer["description"], kind=_content(answer))
            for status, answer in operation["responses"].items()
            if "$ref" not in answer
        ),
        refusals=_by_kind(operation["refusals"]),
    )


def _by_kind(refusals: Mapping[str, _Json]) -> tuple[Refusals, ...]:
    """Tell together what is answered in the same shape."""
    told: dict[Kind, list[str]] = {}
    for status, answer in refusals.items():
        told.setdefault(_content(answer), []).append(f"{status} {answer['description']}")
    return tuple(Refusals(told=", ".join(each), kind=kind) for kind, each in told.items())


def _content(holder: _Json) -> Kind:
    for content in holder.get("content", {}).values():
        return kind_of(content["schema"])
    return ()


def _shape(name: str, schema: _Json) -> Shape:
    needed = schema.get("required", ())
    return Shape(
        name=name,
        members=tuple(
            _member(member, kind, needed=member in needed)
            for member, kind in schema.get("properties", {}).items()
        ),
        values=tuple(map(_json, schema.get("enum", ()))),
    )


def _parameter(described: _Json) -> Parameter:
    member = _member(described["name"], described["schema"], needed=described["required"])
    return Parameter(**msgspec.structs.asdict(member), place=described["in"])


def _member(name: str, schema: _Json, *, needed: bool) -> Member:
    default = _json(schema["default"]) if "default" in schema else None
    return Member(name=name, kind=kind_of(schema), needed=needed, default=default)


def kind_of(schema: _Json) -> Kind:  # noqa: PLR0911 - one case a kind of schema
    """Say in words what values fit a schema."""
    match schema:
        case {"$ref": _}:
            return (Piece(_name(schema), _name(schema)),)
        case {"anyOf": kinds}:
            return _joined(list(map(kind_of, kinds)), " or ")
        case {"enum": values}:
            return (Piece(" or ".join(map(_json, values))),)
        case {"const": value}:
            return (Piece(_json(value)),)
        case {"type": "array", "prefixItems": kinds}:
            return (Piece("list of exactly "), *_joined(list(map(kind_of, kinds)), ", then "))
        case {"type": "array", "items": items}:
            return (Piece("list of "), *_apart(items))
        case {"type": "object", "additionalProperties": values} if values:
            return (Piece("object of "), *_apart(values))
        case {"type": plain}:
            return (Piece(_plain(plain, schema)),)
    return (Piece("anything"),)


def _apart(schema: _Json) -> Kind:
    """Several kinds within another one's words stand in parentheses."""
    kind = kind_of(schema)
    several = len(schema.get("anyOf", schema.get("enum", ()))) > 1
    return (Piece("("), *kind, Piece(")")) if several else kind


def _joined(kinds: Sequence[Kind], word: str) -> Kind:
    between = [(Piece(word), *kind) for kind in kinds[1:]]
    return tuple(piece for kind in (*kinds[:1], *between) for piece in kind)


def _plain(kind: str, schema: _Json) -> str:
    special = schema.get("format") or schema.get("contentEncoding")
    text = f"{kind} ({special})" if special else kind
    bounds = [f", {words} {schema[name]}" for name, words in _BOUNDS.items() if name in schema]
    return text + "".join(bounds)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
