"""Keeps a block schema, and first those it refers to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.db.unit import Unit
from armillary.errors import Conflict, Invalid
from armillary.ids import Ids
from armillary_plugins.blocks.checksum import checksum_of, plain_definitions, reachable, references
from armillary_plugins.blocks.json_values import Json, Object, text_of
from armillary_plugins.blocks.nesting import REFERENCES, referred
from armillary_plugins.blocks.repository.schemas import find_schema
from armillary_plugins.blocks.schemas import UNVERSIONED

_INSERT = """
insert into block_schema (id, workspace, created, updated, block_type_id, checksum, version,
  fields, capabilities) values (?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (workspace, checksum, version) do nothing
"""
_REFER = """
insert into block_schema_reference (parent_id, name, place, reference_id, workspace)
values (?, ?, ?, ?, ?) on conflict (parent_id, name, place) do nothing
"""
_TYPE = "select id from block_type where workspace = ? and slug = ?"


class NewSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A schema to keep."""

    block_type_id: str
    fields: Object
    capabilities: Sequence[str] = ()
    version: str = UNVERSIONED
    inside: tuple[str, ...] = ()
    """The checksums of the schemas whose definitions it was found in."""


async def register_schema(unit: Unit, ids: Ids, new: NewSchema) -> tuple[str, bool]:
    """Keep a schema unless it is there; return its id, and whether it is new."""
    checksum = checksum_of(new.fields)
    known = await find_schema(unit, checksum, new.version)
    if known is not None:
        return known, False
    if checksum in new.inside:
        raise _invalid("The schema refers to itself through its definitions")
    children = await _children(unit, ids, new, (*new.inside, checksum))
    stored = {name: each for name, each in new.fields.items() if name != REFERENCES}
    stored.pop("definitions", None)
    if plain := plain_definitions(new.fields):
        stored["definitions"] = plain
    schema_id = ids.uuid4()
    inserted = await unit.run(
        _INSERT, schema_id, unit.workspace, unit.micros, unit.micros, new.block_type_id, checksum,
        new.version, text_of(stored), text_of(list(dict.fromkeys(new.capabilities))),
    )  # fmt: skip
    if not inserted:  # somebody registered the same at this moment
        return await find_schema(unit, checksum, new.version) or schema_id, False
    for name, place, child in children:
        await unit.run(_REFER, schema_id, name, place, child, unit.workspace)
    return schema_id, True


async def _children(
    unit: Unit, ids: Ids, new: NewSchema, inside: tuple[str, ...]
) -> list[tuple[str, int, str]]:
    """The schemas it refers to: name, place among those of the name, id."""
    found = []
    for name, entries in referred(new.fields).items():
        for place, entry in enumerate(entries):
            child = await _child(unit, ids, new, name=name, entry=entry, inside=inside)
            found.append((name, place, child))
    return found


async def _child(  # noqa: PLR0913 - which reference of what, inside of what
    unit: Unit, ids: Ids, new: NewSchema, *, name: str, entry: Json, inside: tuple[str, ...]
) -> str:
    slug, checksum = _said(name, entry)
    type_id = await unit.value(_TYPE, unit.workspace, slug)
    if type_id is None:
        raise Conflict(
            f"Cannot create block schema because block type {slug!r} was not found: register it "
            f"first ({REFERENCES}.{name})."
        )
    known = await find_schema(unit, checksum, None)
    if known is not None:
        return known
    fields = _defined(new.fields, name, slug)
    child = NewSchema(block_type_id=type_id, fields=fields, inside=inside)
    schema_id, _ = await register_schema(unit, ids, child)
    return schema_id


def _said(name: str, entry: Json) -> tuple[str, str]:
    slug = entry.get("block_type_slug") if isinstance(entry, dict) else None
    checksum = entry.get("block_schema_checksum") if isinstance(entry, dict) else None
    if not isinstance(slug, str) or not isinstance(checksum, str):
        raise _invalid(
            f"{REFERENCES}.{name} must name the texts 'block_type_slug' and 'block_schema_checksum'"
        )
    return slug, checksum


def _defined(fields: Object, name: str, slug: str) -> Object:
    """The fields of a schema that is not kept yet, as one that refers to it defines them."""
    definitions = fields.get("definitions")
    definitions = definitions if isinstance(definitions, dict) else {}
    properties = fields.get("properties")
    place = properties.get(name) if isinstance(properties, dict) else None
    named = [each for each in references(place) if isinstance(definitions.get(each), dict)]
    fitting = [each for each in named if definitions[each].get("block_type_slug") == slug]
    if len(named) == 1 or fitting:
        definition = definitions[(fitting or named)[0]]
        below = reachable(definition, definitions)
        return {**definition, "definitions": below} if below else dict(definition)
    raise _invalid(
        f"{REFERENCES}.{name} refers to a schema of {slug!r} that is not known, and the "
        "definitions do not have it"
    )


def _invalid(message: str) -> Invalid:
    return Invalid(f"{message}.", loc=("body", "fields"))
