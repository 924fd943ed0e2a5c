"""One process that serves blocks, and short ways to make them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api import Api


class Blocks(Api):
    """Blocks over HTTP."""

    async def type(self, slug: str = "creds", **more: Any) -> dict[str, Any]:
        """A new type."""
        body = {"name": slug.title(), "slug": slug, **more}
        return await self.post("/block_types/", body, status=201)

    async def schema(
        self, block_type: dict[str, Any], *, status: int = 201, **more: Any
    ) -> dict[str, Any]:
        """A new schema of a type."""
        fields = {
            "title": block_type["name"], "type": "object", "block_type_slug": block_type["slug"],
            "properties": {"user": {"type": "string"}, "password": {"type": "string"}},
            "secret_fields": ["password"], "block_schema_references": {},
        }  # fmt: skip
        body = {"block_type_id": block_type["id"], "fields": fields, **more}
        return await self.post("/block_schemas/", body, status=status)

    async def document(
        self, schema: dict[str, Any], name: str | None = "mine", *, status: int = 201, **more: Any
    ) -> dict[str, Any]:
        """A new document of a schema."""
        body = {
            "name": name, "block_type_id": schema["block_type_id"], "block_schema_id": schema["id"],
            "data": {"user": "me", "password": "hush"}, **more,
        }  # fmt: skip
        return await self.post("/block_documents/", body, status=status)

    async def data(self, document_id: str) -> Any:
        """What a document holds."""
        return (await self.get(f"/block_documents/{document_id}?include_secrets=true"))["data"]


@pytest.fixture
def core_flags() -> dict[str, object]:
    return {"plugins.disable": ("ui",)}


@pytest.fixture
def blocks(client: httpx.AsyncClient) -> Blocks:
    return Blocks(client)


@pytest.fixture
async def schema(blocks: Blocks) -> dict[str, Any]:
    """A schema with one secret."""
    return await blocks.schema(await blocks.type())
