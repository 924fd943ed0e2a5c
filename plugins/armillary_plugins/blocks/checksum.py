"""The checksum by which client and server mean the same schema; each computes it by itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from armillary_plugins.blocks.json_values import Json, Object

_PLACE = "#/definitions/"


def checksum_of(fields: Object) -> str:
    """Sum a schema up: without what is secret, and without the definitions of other blocks."""
    said = _without_secret_fields(fields)
    definitions = said.get("definitions")
    if definitions:
        kept = plain_definitions(said)
        said = {name: value for name, value in said.items() if name != "definitions"}
        if kept:
            said["definitions"] = kept
    text = json.dumps([[said], {}], sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def plain_definitions(fields: Object) -> Object:
    """The definitions that something in the schema refers to and that are no blocks."""
    definitions = fields.get("definitions")
    if not isinstance(definitions, dict):
        return {}
    return {
        name: definition
        for name in dict.fromkeys(references(fields))
        if (definition := definitions.get(name))
        and isinstance(definition, dict)
        and definition.get("block_type_slug") is None
    }


def reachable(start: Json, definitions: Object) -> Object:
    """The definitions that can be reached from somewhere, whatever they are."""
    found: Object = {}
    waiting = list(references(start))
    while waiting:
        name = waiting.pop()
        if name not in found and isinstance(definitions.get(name), dict):
            found[name] = definitions[name]
            waiting += references(found[name])
    return found


def references(value: Json) -> Iterator[str]:
    """The names of the definitions that are referred to, wherever that is."""
    if isinstance(value, dict):
        place = value.get("$ref")
        if isinstance(place, str):
            yield place.replace(_PLACE, "")
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


def _without_secret_fields(value: Object) -> Object:
    return {
        name: _without_secret_fields(member) if isinstance(member, dict) else member
        for name, member in value.items()
        if name != "secret_fields"
    }
