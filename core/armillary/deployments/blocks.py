"""Blocks as the core asks for them: what defaults of job variables refer to, and result storage.

Whoever keeps blocks hands a source over; without one there are none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeAlias

import msgspec

from armillary.db.unit import Reader
from armillary.deployments.job_variables import (
    BlockMissing,
    check_job_template,
    referenced_blocks,
)
from armillary.errors import NotFound

Data: TypeAlias = Mapping[str, msgspec.Raw]
"""What documents hold, by their ids."""


class BlockSource(msgspec.Struct, frozen=True):
    """Where blocks are read: what documents hold, secrets included, and what one can do."""

    name: str
    read: Callable[[Reader, Collection[str]], Awaitable[Data]]
    capabilities: Callable[[Reader, str], Awaitable[frozenset[str] | None]]


class Blocks:
    """The blocks of every source."""

    def __init__(self, sources: Sequence[BlockSource]) -> None:
        self._sources = sources

    async def behind(self, reader: Reader, variables: bytes | None) -> Data | None:
        """Read what the defaults of job variables refer to; None where they refer to nothing."""
        if not variables or b"block_document_id" not in variables:
            return None
        wanted = referenced_blocks(variables)
        found: dict[str, msgspec.Raw] = {}
        for source in self._sources if wanted else ():
            found.update(await source.read(reader, wanted))
        return found if wanted else None

    async def capabilities(self, reader: Reader, document_id: str) -> frozenset[str] | None:
        """Tell what a document's block can do; None where there is no such document."""
        for source in self._sources:
            found = await source.capabilities(reader, document_id)
            if found is not None:
                return found
        return None

    async def check_new_template(self, reader: Reader, template: Mapping[str, msgspec.Raw]) -> None:
        """Check the job template of a new pool: Invalid, or NotFound for a block it refers to."""
        variables = template.get("variables")
        behind = await self.behind(reader, None if variables is None else bytes(variables))
        try:
            check_job_template(template, defaults=True, blocks=behind)
        except BlockMissing as error:
            raise NotFound(str(error)) from error
