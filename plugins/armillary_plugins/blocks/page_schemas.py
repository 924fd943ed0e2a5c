"""What the pages of blocks show."""

from __future__ import annotations

import html
from datetime import datetime

import msgspec

from armillary.clock import from_micros
from armillary.db.unit import Row
from armillary_plugins.blocks.schemas import BlockDocument, BlockType
from armillary_web.pages import TwinPaths


class BlockRow(msgspec.Struct, frozen=True, kw_only=True):
    """A block document in the list."""

    id: str
    name: str
    type_name: str
    type_slug: str
    created: datetime
    updated: datetime

    @classmethod
    def of(cls, row: Row) -> BlockRow:
        """Shape it."""
        return cls(
            id=row[0],
            name=row[1],
            type_name=row[2],
            type_slug=row[3],
            created=from_micros(row[4]),
            updated=from_micros(row[5]),
        )


class TypeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A block type in the catalogue, and on its own page."""

    id: str
    name: str
    slug: str
    description: str
    code_example: str
    documentation_url: str | None
    of_the_sdk: bool

    @classmethod
    def of(cls, block_type: BlockType) -> TypeRow:
        """Shape it: texts are stored as HTML."""
        example = html.unescape(block_type.code_example or "")
        return cls(
            id=block_type.id,
            name=block_type.name,
            slug=block_type.slug,
            description=html.unescape(block_type.description or ""),
            code_example="\n".join(
                line for line in example.splitlines() if not line.strip().startswith("```")
            ).strip(),
            documentation_url=block_type.documentation_url,
            of_the_sdk=block_type.is_protected,
        )


class TypeChoice(msgspec.Struct, frozen=True):
    """An entry of the pick list of types."""

    value: str
    text: str


class BlockPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the list of block documents."""

    rows: tuple[BlockRow, ...]
    types: tuple[TypeChoice, ...]
    twins: TwinPaths
    name: str = ""
    type: str = ""
    filtered: bool = False
    previous_path: str | None = None
    next_path: str | None = None


class CataloguePage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the catalogue of block types."""

    rows: tuple[TypeRow, ...]
    twins: TwinPaths
    name: str = ""
    filtered: bool = False
    previous_path: str | None = None
    next_path: str | None = None


class BlockDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A block document on its own page; a mask stands for its secrets."""

    id: str
    name: str | None
    type: TypeRow
    data: str
    """JSON."""
    created: datetime
    updated: datetime

    @property
    def title(self) -> str:
        """What it is called, though it may have no name."""
        return self.name or f"{self.type.name} without a name"

    @classmethod
    def of(cls, document: BlockDocument) -> BlockDetail:
        """Shape it."""
        return cls(
            id=document.id,
            name=document.name,
            type=TypeRow.of(document.block_type),
            data=bytes(document.data).decode(),
            created=document.created,
            updated=document.updated,
        )
