"""Block types, schemas and documents as clients send them and as they are answered."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from armillary.api import Body, OrDefault
from armillary.errors import Invalid
from armillary_plugins.blocks.filters import (
    BlockSchemaFilter,
    BlockTypeFilter,
    Filters,
)

_NAME = re.compile(r"[^/%&><]+")
_SLUG = re.compile(r"[a-z0-9-]+")
UNVERSIONED = "non-versioned"
DocumentSort: TypeAlias = Literal["NAME_DESC", "NAME_ASC", "BLOCK_TYPE_AND_NAME_ASC"]


class CreateBlockType(Body):
    """A block type to create."""

    name: str
    slug: str
    logo_url: str | None = None
    documentation_url: str | None = None
    description: str | None = None
    code_example: str | None = None

    def check(self) -> None:
        """Raise Invalid for what cannot be one."""
        if not _NAME.fullmatch(self.name):
            raise Invalid(
                f"The name {self.name!r} of a block type must not be empty and must not contain "
                "any of / % & > <.",
                loc=("body", "name"),
                kind="string_pattern_mismatch",
            )
        checked_slug(self.slug, "slug")


class UpdateBlockType(Body):
    """Changes to a block type; what is absent stays."""

    logo_url: str | UnsetType | None = UNSET
    documentation_url: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    code_example: str | UnsetType | None = UNSET

    def given(self) -> dict[str, str | None]:
        """What is to change."""
        return {
            name: value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not UNSET
        }


class BlockType(msgspec.Struct, frozen=True, kw_only=True):
    """A block type as answered."""

    id: str
    created: datetime
    updated: datetime
    name: str
    slug: str
    logo_url: str | None
    documentation_url: str | None
    description: str | None
    code_example: str | None
    is_protected: bool


class FilterBlockTypes(Body):
    """Which block types to list."""

    block_types: BlockTypeFilter | None = None
    block_schemas: BlockSchemaFilter | None = None
    limit: int | None = None
    offset: OrDefault[int] = 0


class CreateBlockSchema(Body):
    """A block schema to create."""

    block_type_id: UUID
    fields: msgspec.Raw = msgspec.Raw(b"{}")
    capabilities: OrDefault[list[str]] = msgspec.field(default_factory=list)
    version: OrDefault[str] = UNVERSIONED


class BlockSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A block schema as answered."""

    id: str
    created: datetime
    updated: datetime
    checksum: str
    fields: msgspec.Raw
    block_type_id: str
    block_type: BlockType
    capabilities: msgspec.Raw
    version: str


class OfVersion(msgspec.Struct, frozen=True):
    """Which of the schemas of one checksum; the newest if none is named."""

    version: str | None = None


class FilterBlockSchemas(Body):
    """Which block schemas to list."""

    block_schemas: BlockSchemaFilter | None = None
    limit: int | None = None
    offset: OrDefault[int] = 0


class CreateBlockDocument(Body):
    """A block document to create."""

    block_schema_id: UUID
    block_type_id: UUID
    name: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")
    is_anonymous: OrDefault[bool] = False

    def check(self) -> None:
        """Raise Invalid for a name that cannot be one, or that is missing."""
        if self.name is not None:
            checked_slug(self.name, "name")
        elif not self.is_anonymous:
            raise Invalid(
                "A block document needs a name, unless it is anonymous.", loc=("body", "name")
            )


class UpdateBlockDocument(Body):
    """Changes to a block document; ``merge_existing_data`` keeps members that are absent."""

    block_schema_id: UUID | None = None
    data: msgspec.Raw = msgspec.Raw()
    merge_existing_data: OrDefault[bool] = True


class BlockDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A block document as answered."""

    id: str
    created: datetime
    updated: datetime
    name: str
    data: msgspec.Raw
    block_schema_id: str
    block_schema: BlockSchema
    block_type_id: str
    block_type_name: str
    block_type: BlockType
    block_document_references: dict[str, dict[str, Any]]
    is_anonymous: bool


class Secrets(msgspec.Struct, frozen=True):
    """Whether documents are shown as they are, else with a mask for secrets."""

    include_secrets: bool = False


class FilterBlockDocuments(Filters):
    """Which block documents to list."""

    include_secrets: OrDefault[bool] = False
    sort: OrDefault[DocumentSort] = "NAME_ASC"
    limit: int | None = None
    offset: OrDefault[int] = 0


def checked_slug(text: str, member: str) -> str:
    """Return a text of small letters, digits and dashes; Invalid if it is none."""
    if _SLUG.fullmatch(text):
        return text
    raise Invalid(
        f"{member} must only contain lowercase letters, numbers, and dashes, and not be empty: "
        f"{text[:100]!r}.",
        loc=("body", member),
        kind="string_pattern_mismatch",
    )
