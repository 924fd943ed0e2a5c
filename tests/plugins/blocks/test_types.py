"""Block types and their schemas: what is kept, what is refused, what goes along."""

from __future__ import annotations

from typing import Any

import pytest

from armillary.core import Core
from armillary.deleting import deletions
from armillary.testing import ManualClock
from tests.api import NOBODY, names_of_events
from tests.plugins.blocks.conftest import Blocks

Json = Any


async def test_a_type_is_kept_with_its_texts_fit_for_pages(blocks: Blocks, core: Core) -> None:
    made = await blocks.type("mine", description="<b>&", code_example="a < b", logo_url="http://l")
    assert made["is_protected"] is False
    assert (made["description"], made["code_example"]) == ("&lt;b&gt;&amp;", "a &lt; b")
    assert await blocks.get(f"/block_types/{made['id']}") == made
    assert await blocks.get("/block_types/slug/mine") == made
    assert await names_of_events(core) == ["block-type.created"]


async def test_a_slug_is_taken_once(blocks: Blocks) -> None:
    await blocks.type("mine")
    answer = await blocks.post("/block_types/", {"name": "Mine", "slug": "mine"}, status=409)
    assert answer == {"detail": 'Block type with name "Mine" already exists'}


@pytest.mark.parametrize(
    ("name", "slug", "status"),
    [
        ("Prefect Thing", "thing", 403), ("prefecture", "thing", 403), ("a/b", "thing", 422),
        ("", "thing", 422), ("Thing", "Thing", 422), ("Thing", "a_b", 422), ("Thing", "", 422),
    ],
)  # fmt: skip
async def test_names_nobody_may_give_are_refused(
    blocks: Blocks, name: str, slug: str, status: int
) -> None:
    await blocks.post("/block_types/", {"name": name, "slug": slug}, status=status)


async def test_a_type_changes_only_where_something_differs(blocks: Blocks, core: Core) -> None:
    made = await blocks.type("mine", description="a < b", logo_url="http://l")
    same = {"description": "a < b", "logo_url": "http://l"}
    await blocks.patch(f"/block_types/{made['id']}", same)
    assert await blocks.get(f"/block_types/{made['id']}") == made
    await blocks.patch(f"/block_types/{made['id']}", {"logo_url": None})
    changed = await blocks.get(f"/block_types/{made['id']}")
    assert (changed["logo_url"], changed["description"]) == (None, "a &lt; b")
    assert await names_of_events(core, since=1) == ["block-type.updated"]
    await blocks.call("PATCH", f"/block_types/{NOBODY}", {}, status=404)


async def test_types_are_listed_by_name_and_by_what_their_schemas_can_do(blocks: Blocks) -> None:
    able = await blocks.type("zz-able")
    await blocks.schema(able, capabilities=["juggle", "sing"])
    await blocks.type("zz-other")

    async def slugs(**more: Json) -> list[str]:
        return [each["slug"] for each in await blocks.post("/block_types/filter", more)]

    found = await slugs()
    assert [slug for slug in found if slug.startswith("zz")] == ["zz-able", "zz-other"]
    assert {"secret", "webhook", "local-file-system"} < set(found)
    assert await slugs(block_types={"slug": {"any_": ["zz-other"]}}) == ["zz-other"]
    assert await slugs(block_types={"name": {"like_": "zZ-A"}}) == ["zz-able"]
    can = {"block_capabilities": {"all_": ["sing", "juggle"]}}
    assert await slugs(block_schemas=can) == ["zz-able"]
    assert len(await slugs(limit=2, offset=1)) == 2
    assert "juggle" in await blocks.get("/block_capabilities/")


async def test_a_type_takes_its_schemas_and_documents_along(blocks: Blocks, schema: Json) -> None:
    document = await blocks.document(schema)
    await blocks.delete(f"/block_types/{schema['block_type_id']}")
    await blocks.get(f"/block_types/{schema['block_type_id']}", status=404)
    await blocks.get(f"/block_schemas/{schema['id']}", status=404)
    await blocks.get(f"/block_documents/{document['id']}", status=404)
    await blocks.delete(f"/block_types/{schema['block_type_id']}", status=404)


async def test_what_is_left_to_delete_for_later_is_seen_by_nobody(
    blocks: Blocks, schema: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = await blocks.document(schema, "inner")
    refers = {"in": {"$ref": {"block_document_id": inner["id"]}}}
    other = await blocks.schema(await blocks.type("other"))
    outer = await blocks.document(other, "outer", data=refers)
    monkeypatch.setattr(deletions, "AT_ONCE", 1)
    await blocks.delete(f"/block_types/{schema['block_type_id']}")
    await blocks.get("/block_types/slug/creds", status=404)
    await blocks.get(f"/block_schemas/{schema['id']}", status=404)
    await blocks.get(f"/block_schemas/checksum/{schema['checksum']}", status=404)
    await blocks.get(f"/block_documents/{inner['id']}", status=404)
    shown = await blocks.get(f"/block_documents/{outer['id']}")
    assert (shown["data"], shown["block_document_references"]) == ({}, {})
    assert await blocks.post("/block_documents/filter") == [shown]
    await blocks.document(await blocks.schema(await blocks.type()), "inner")


async def test_a_schema_is_kept_once_and_the_newest_version_is_found(
    blocks: Blocks, clock: ManualClock
) -> None:
    block_type = await blocks.type()
    first = await blocks.schema(block_type)
    assert first["block_type"] == block_type
    assert (first["version"], first["capabilities"]) == ("non-versioned", [])
    assert await blocks.schema(block_type, status=200) == first
    clock.jump(1)
    second = await blocks.schema(block_type, version="2.0", capabilities=["a", "b", "a"])
    assert second["checksum"] == first["checksum"]
    assert second["capabilities"] == ["a", "b"]
    place = f"/block_schemas/checksum/{first['checksum']}"
    assert await blocks.get(place) == second
    assert await blocks.get(f"{place}?version=non-versioned") == first
    await blocks.get(f"{place}?version=3", status=404)
    of_type = {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}
    assert await blocks.post("/block_schemas/filter", of_type) == [second, first]
    assert await blocks.post("/block_schemas/filter", {**of_type, "limit": 1}) == [second]
    await blocks.delete(f"/block_schemas/{second['id']}")
    assert await blocks.get(place) == first


async def test_a_schema_needs_a_type_and_an_object(blocks: Blocks) -> None:
    block_type = await blocks.type()
    missing = await blocks.schema({**block_type, "id": NOBODY}, status=404)
    assert missing == {"detail": f"Block type {NOBODY} not found."}
    answer = await blocks.schema(block_type, fields=[1], status=422)
    assert "must be an object, not a list" in answer["exception_detail"][0]["msg"]


async def test_types_of_the_sdk_are_there_and_stay(blocks: Blocks) -> None:
    secret = await blocks.get("/block_types/slug/secret")
    assert secret["is_protected"] is True
    answer = await blocks.delete(f"/block_types/{secret['id']}", status=403)
    assert answer == {"detail": "protected block types cannot be deleted."}
    of_type = {"block_schemas": {"block_type_id": {"any_": [secret["id"]]}}}
    [schema] = await blocks.post("/block_schemas/filter", of_type)
    await blocks.delete(f"/block_schemas/{schema['id']}", status=403)
    slack = await blocks.get("/block_types/slug/slack-webhook")
    await blocks.delete(f"/block_types/{slack['id']}")
    await blocks.get("/block_types/slug/slack-webhook", status=404)
    assert await blocks.post("/block_types/install_system_block_types") is None
    await blocks.get("/block_types/slug/slack-webhook")
