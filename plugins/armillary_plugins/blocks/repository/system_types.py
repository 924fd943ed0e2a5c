"""Registers the SDK's own block types in a workspace, once for each version of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from armillary.db.unit import Reader, Unit
from armillary_plugins.blocks.catalogue import SystemType, catalogue
from armillary_plugins.blocks.repository.registering import NewSchema, register_schema
from armillary_plugins.blocks.repository.types import (
    insert_type,
    protect_type,
    read_type_by_slug,
)
from armillary_plugins.blocks.schemas import CreateBlockType

if TYPE_CHECKING:
    from armillary.api import Call
    from armillary.ids import Ids

_NAME = "system_block_types"
_READ = "select value from configuration where workspace = ? and name = ?"
_WRITE = """
insert into configuration (workspace, name, value, updated) values (?, ?, ?, ?)
on conflict (workspace, name) do update set value = excluded.value, updated = excluded.updated
"""
_KNOWN: WeakKeyDictionary[object, set[int]] = WeakKeyDictionary()
"""The workspaces of a core that have them."""


async def ensure_system_types(call: Call) -> None:
    """Register the types in the caller's workspace, unless they are there."""
    known = _KNOWN.setdefault(call.core, set())
    if call.workspace in known:
        return
    if not await _are_installed(call.read()):
        await call.write(lambda unit: install_system_types(unit, call.core.ids))
    known.add(call.workspace)


async def _are_installed(reader: Reader) -> bool:
    """Tell whether a workspace has the types of this version."""
    return bool(await reader.value(_READ, reader.workspace, _NAME) == catalogue().digest)


async def install_system_types(unit: Unit, ids: Ids) -> None:
    """Register the types, and protect those the SDK cannot do without."""
    for each in catalogue().types:
        await _install(unit, ids, each)
    await unit.run(_WRITE, unit.workspace, _NAME, catalogue().digest, unit.micros)


async def _install(unit: Unit, ids: Ids, system: SystemType) -> None:
    wanted = CreateBlockType(
        name=system.name,
        slug=system.slug,
        logo_url=system.logo_url,
        documentation_url=system.documentation_url,
        description=system.description,
        code_example=system.code_example,
    )
    made = await insert_type(unit, ids.uuid4(), wanted, protected=system.protected)
    if made is None and system.protected:
        await protect_type(unit, system.slug)
    found = made or await read_type_by_slug(unit, system.slug)
    new = NewSchema(
        block_type_id=found.id,
        fields=system.fields,
        capabilities=system.capabilities,
        version=system.version,
    )
    await register_schema(unit, ids, new)
