"""The tables of block types, their schemas and documents."""

from __future__ import annotations

from armillary.db.tables import Belongs, Tables

TABLES = Tables(
    owner="blocks",
    belongs=(
        Belongs(table="block_document", to="block_type", by="block_type_id"),
        Belongs(table="block_schema", to="block_type", by="block_type_id"),
        Belongs(table="block_document", to="block_schema", by="block_schema_id"),
        Belongs(table="block_schema_reference", to="block_schema", by="parent_id", key=None),
        Belongs(table="block_schema_reference", to="block_schema", by="reference_id", key=None),
        Belongs(table="block_document_reference", to="block_document", by="parent_id", key=None),
        Belongs(table="block_document_reference", to="block_document", by="reference_id", key=None),
        # clients of old named documents here; whoever deletes one means no deployment
        Belongs(
            table="deployment",
            to="block_document",
            by="storage_document_id",
            clears=True,
            audited=False,
        ),
        Belongs(
            table="deployment",
            to="block_document",
            by="infrastructure_document_id",
            clears=True,
            audited=False,
        ),
    ),
)
