"""Which block types, schemas and documents a client asks for."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from armillary.api import Body
from armillary.criteria import Choice, Combining, Flag, Ids, Likeness, Names
from armillary.db import filters
from armillary.db.filters import Condition, TagPlace, every, exists

_TYPE_OF = "block_type t where t.id = d.block_type_id"
_SCHEMA_OF = "block_schema s where s.id = d.block_schema_id"
_SCHEMAS_OF = "block_schema s where s.block_type_id = t.id"


class Capabilities(Body):
    """``all_`` of capabilities."""

    all_: list[str] | None = None


class BlockTypeFilter(Body):
    """Conditions on block types."""

    name: Likeness | None = None
    slug: Choice | None = None

    def on(self) -> Condition:
        """Make the condition on a type ``t``."""
        parts = []
        if self.name is not None:
            parts += filters.like("t.name", self.name.like_)
        if self.slug is not None:
            parts.append(self.slug.on("t.slug"))
        return every(parts)

    def with_schema(self, schemas: BlockSchemaFilter | None) -> Condition:
        """Make the condition on a type ``t`` that has a schema of some kind."""
        return every([self.on(), *([] if schemas is None else [exists(_SCHEMAS_OF, schemas.on())])])


class BlockSchemaFilter(Combining):
    """Conditions on block schemas."""

    block_type_id: Ids | None = None
    block_capabilities: Capabilities | None = None
    id: Ids | None = None
    version: Choice | None = None

    def on(self) -> Condition:
        """Make the condition on a schema ``s``."""
        parts = []
        if self.block_type_id is not None:
            parts.append(self.block_type_id.on("s.block_type_id"))
        if self.block_capabilities is not None:
            parts.append(every(TagPlace("s.capabilities").all_of(self.block_capabilities.all_)))
        if self.id is not None:
            parts.append(self.id.on("s.id"))
        if self.version is not None:
            parts.append(self.version.on("s.version"))
        return self.combine(parts)


class BlockDocumentFilter(Combining):
    """Conditions on block documents; anonymous ones are left out unless they are asked for."""

    id: Ids | None = None
    is_anonymous: Flag | UnsetType | None = UNSET
    block_type_id: Ids | None = None
    name: Names | None = None

    def on(self) -> Condition:
        """Make the condition on a document ``d``."""
        anonymous = self.is_anonymous
        parts = []
        if self.id is not None:
            parts.append(self.id.on("d.id"))
        if anonymous is not None:
            wanted = False if isinstance(anonymous, UnsetType) else anonymous.eq_
            parts.append(every(filters.equals("d.is_anonymous", wanted)))
        if self.block_type_id is not None:
            parts.append(self.block_type_id.on("d.block_type_id"))
        if self.name is not None:
            parts.append(self.name.on("d.name"))
        return self.combine(parts)


class Filters(Body):
    """The filters a request for documents may have."""

    block_documents: BlockDocumentFilter | None = None
    block_types: BlockTypeFilter | None = None
    block_schemas: BlockSchemaFilter | None = None

    def condition(self) -> Condition:
        """Say which documents ``d`` are meant."""
        parts = [(self.block_documents or BlockDocumentFilter()).on()]
        if self.block_types is not None:
            parts.append(exists(_TYPE_OF, self.block_types.on()))
        if self.block_schemas is not None:
            parts.append(exists(_SCHEMA_OF, self.block_schemas.on()))
        return every(parts)
