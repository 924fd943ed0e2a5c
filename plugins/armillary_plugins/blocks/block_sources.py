"""Blocks as the core reads them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from armillary.deployments.blocks import BlockSource, Data
from armillary_plugins.blocks.repository.documents import capabilities_of, read_data
from armillary_plugins.blocks.repository.vault import vault_of

if TYPE_CHECKING:
    from armillary import Core
    from armillary.db.unit import Reader


def source_of(core: Core) -> BlockSource:
    """The documents of a core's database."""

    async def read(reader: Reader, ids: Collection[str]) -> Data:
        return await read_data(reader, vault_of(core), ids)

    return BlockSource(name="blocks", read=read, capabilities=capabilities_of)
