"""Puts schemas together with those they refer to, as clients know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from armillary_plugins.blocks.json_values import Json, Object

REFERENCES = "block_schema_references"


class SchemaPart(msgspec.Struct, frozen=True):
    """A stored schema: of which type, and its fields without what they refer to."""

    id: str
    checksum: str
    slug: str
    fields: Object


class Edge(msgspec.Struct, frozen=True):
    """One schema refers to another under a name; of a union there are several."""

    parent: str
    name: str
    child: str


def whole_fields(root: str, parts: Mapping[str, SchemaPart], edges: Iterable[Edge]) -> Object:
    """The fields of a schema with its references, and the definitions of all below it."""
    below: dict[str, list[Edge]] = {}
    for edge in edges:
        below.setdefault(edge.parent, []).append(edge)
    fields = _with_references(parts[root], below.get(root, ()), parts)
    definitions: Object = dict(fields.get("definitions") or {})
    waiting, seen = [edge.child for edge in below.get(root, ())], {root}
    while waiting:
        child = waiting.pop(0)
        if child in seen or child not in parts:
            continue
        seen.add(child)
        waiting += [edge.child for edge in below.get(child, ())]
        theirs = _with_references(parts[child], below.get(child, ()), parts)
        definitions.update(theirs.pop("definitions", None) or {})
        title = theirs.get("title")
        if isinstance(title, str):
            definitions[title] = theirs
    if definitions:
        fields["definitions"] = definitions
    return fields


def _with_references(
    part: SchemaPart, edges: Sequence[Edge], parts: Mapping[str, SchemaPart]
) -> Object:
    named: dict[str, list[Json]] = {}
    for edge in edges:
        child = parts.get(edge.child)
        if child is not None:
            reference = {"block_schema_checksum": child.checksum, "block_type_slug": child.slug}
            named.setdefault(edge.name, []).append(reference)
    references = {name: many[0] if len(many) == 1 else many for name, many in named.items()}
    return {**part.fields, REFERENCES: references}


def referred(fields: Object) -> Object:
    """The references of fields as a client sent them: lists by name; empty where there are none."""
    found = fields.get(REFERENCES)
    if not isinstance(found, dict):
        return {}
    return {name: each if isinstance(each, list) else [each] for name, each in found.items()}
