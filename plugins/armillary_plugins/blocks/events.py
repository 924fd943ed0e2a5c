"""Events of block types and documents: made, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from armillary.db.unit import Unit
from armillary.events.catalogue import EventType
from armillary.events.envelope import Event
from armillary.ids import Ids
from armillary_plugins.blocks.schemas import BlockDocument, BlockType


class TypePayload(msgspec.Struct, frozen=True, kw_only=True):
    """A block type as it then is."""

    name: str
    slug: str
    logo_url: str | None
    documentation_url: str | None
    description: str | None
    code_example: str | None
    is_protected: bool


class TypeOfSchema(msgspec.Struct, frozen=True):
    """The type of a document's schema."""

    id: str
    name: str


class SchemaOfDocument(msgspec.Struct, frozen=True):
    """The schema of a document."""

    capabilities: msgspec.Raw
    block_type: TypeOfSchema


class DocumentPayload(msgspec.Struct, frozen=True):
    """A document as it then is; of its data the texts that are no secrets."""

    name: str
    data: Mapping[str, str]
    block_schema: SchemaOfDocument


def _types(kind: str, what: str, payload: object) -> tuple[EventType, ...]:
    return tuple(
        EventType(name=f"prefect.{kind}.{verb}", summary=f"{what} was {done}.", payload=payload)
        for verb, done in (("created", "created"), ("updated", "changed"), ("deleted", "deleted"))
    )


EVENTS = (
    *_types("block-type", "A block type", TypePayload),
    *_types("block-document", "A block document that has a name", DocumentPayload),
)


def announce_type(unit: Unit, ids: Ids, verb: str, block_type: BlockType) -> None:
    """Put the event of a block type into the outbox."""
    payload = TypePayload(
        **{name: getattr(block_type, name) for name in TypePayload.__struct_fields__}
    )
    event = Event(
        id=ids.uuid7(),
        occurred=unit.now,
        received=unit.now,
        event=f"prefect.block-type.{verb}",
        resource={
            "prefect.resource.id": f"prefect.block-type.{block_type.id}",
            "prefect.resource.name": block_type.name,
        },
        payload=msgspec.to_builtins(payload),
    )
    unit.emit(event.emitted())


def announce_document(
    unit: Unit, ids: Ids, verb: str, document: BlockDocument, shown: Mapping[str, str]
) -> None:
    """Put the event of a document into the outbox; anonymous ones are nobody's business."""
    if document.is_anonymous:
        return
    schema = SchemaOfDocument(
        document.block_schema.capabilities,
        TypeOfSchema(document.block_type_id, document.block_type_name),
    )
    event = Event(
        id=ids.uuid7(),
        occurred=unit.now,
        received=unit.now,
        event=f"prefect.block-document.{verb}",
        resource={
            "prefect.resource.id": f"prefect.block-document.{document.id}",
            "prefect.resource.name": document.name,
        },
        related=(
            {
                "prefect.resource.id": f"prefect.block-type.{document.block_type_id}",
                "prefect.resource.role": "block-type",
                "prefect.resource.name": document.block_type_name,
            },
            {
                "prefect.resource.id": f"prefect.block-schema.{document.block_schema_id}",
                "prefect.resource.role": "block-schema",
            },
        ),
        payload=msgspec.structs.asdict(DocumentPayload(document.name, shown, schema)),
    )
    unit.emit(event.emitted())
