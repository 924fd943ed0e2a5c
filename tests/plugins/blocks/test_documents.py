"""Block documents: what they hold, who sees what of it, and documents within documents."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from armillary.core import Core
from tests.api import NOBODY, events
from tests.plugins.blocks.conftest import Blocks

Json = Any
SHOWN = {"user": "me", "password": "********"}
HELD = {"user": "me", "password": "hush"}


async def test_secrets_are_shown_only_where_they_are_asked_for(
    blocks: Blocks, schema: Json
) -> None:
    made = await blocks.document(schema)
    assert made["data"] == SHOWN
    assert made["block_schema"] == schema
    assert (made["block_type_name"], made["block_type"]) == ("Creds", schema["block_type"])
    assert made["block_document_references"] == {}
    place = f"/block_documents/{made['id']}"
    by_name = "/block_types/slug/creds/block_documents/name/mine"
    of_type = "/block_types/slug/creds/block_documents"
    assert await blocks.get(place) == made
    assert await blocks.get(by_name) == made
    assert await blocks.get(of_type) == [made]
    assert await blocks.post("/block_documents/filter") == [made]
    open_ = {**made, "data": HELD}
    assert await blocks.get(f"{place}?include_secrets=true") == open_
    assert await blocks.get(f"{by_name}?include_secrets=true") == open_
    assert await blocks.get(f"{of_type}?include_secrets=1") == [open_]
    assert await blocks.post("/block_documents/filter", {"include_secrets": True}) == [open_]
    await blocks.get(f"{place}?include_secrets=perhaps", status=422)
    await blocks.get("/block_types/slug/creds/block_documents/name/other", status=404)
    await blocks.get("/block_types/slug/other/block_documents", status=404)


async def test_nothing_a_document_holds_is_readable_in_the_database(
    blocks: Blocks, schema: Json, core: Core
) -> None:
    await blocks.document(schema)
    rows = await core.database.read(None).all("select * from block_document")
    assert len(rows) == 1
    assert "hush" not in str([tuple(row) for row in rows])
    assert "user" not in str([tuple(row) for row in rows])


async def test_events_tell_texts_but_no_secrets(blocks: Blocks, schema: Json, core: Core) -> None:
    made = await blocks.document(schema)
    await blocks.document(schema, None, is_anonymous=True)
    await blocks.patch(f"/block_documents/{made['id']}", {"data": {"user": "you"}})
    await blocks.delete(f"/block_documents/{made['id']}")
    told = [each for each in await events(core) if "document" in each["event"]]
    assert [each["event"] for each in told] == [
        f"prefect.block-document.{verb}" for verb in ("created", "updated", "deleted")
    ]
    assert [each["payload"]["data"] for each in told] == [
        {"user": "me"}, {"user": "you"}, {"user": "you"},
    ]  # fmt: skip
    assert told[0]["payload"]["block_schema"] == {
        "capabilities": [],
        "block_type": {"id": schema["block_type_id"], "name": "Creds"},
    }
    assert [each["prefect.resource.role"] for each in told[0]["related"]] == [
        "block-type", "block-schema",
    ]  # fmt: skip


async def test_a_name_is_taken_once_for_each_type(blocks: Blocks, schema: Json) -> None:
    await blocks.document(schema)
    assert await blocks.document(schema, status=409) == {"detail": "Block already exists"}
    await blocks.document(await blocks.schema(await blocks.type("more")))
    await blocks.document(schema, None, status=422)
    await blocks.document(schema, "A Name", status=422)


async def test_anonymous_documents_are_listed_only_where_they_are_asked_for(
    blocks: Blocks, schema: Json
) -> None:
    hidden = await blocks.document(schema, None, is_anonymous=True)
    named = await blocks.document(schema)
    assert hidden["name"].startswith("anonymous-")

    async def found(documents: Json) -> list[str]:
        body = {"block_documents": documents}
        listed = await blocks.post("/block_documents/filter", body)
        assert await blocks.post("/block_documents/count", body) == len(listed)
        return [each["id"] for each in listed]

    both = [hidden["id"], named["id"]]
    assert await found(None) == await found({}) == [named["id"]]
    assert await found({"id": {"any_": both}}) == [named["id"]]
    assert await found({"is_anonymous": {"eq_": True}}) == [hidden["id"]]
    assert await found({"is_anonymous": None}) == both
    assert await found({"is_anonymous": {"eq_": None}, "name": {"like_": "anonymous-"}}) == both[:1]
    assert await blocks.get(f"/block_documents/{hidden['id']}") == hidden


async def test_documents_are_found_and_sorted(blocks: Blocks, schema: Json) -> None:
    other = await blocks.schema(await blocks.type("a-type", name="A"), capabilities=["sing"])
    for name in ("b", "a"):
        await blocks.document(schema, name)
    await blocks.document(other, "c")

    async def names(**more: Json) -> str:
        found = await blocks.post("/block_documents/filter", more)
        return "".join(each["name"] for each in found)

    assert await names() == "abc"
    assert await names(sort="NAME_DESC") == "cba"
    assert await names(sort="BLOCK_TYPE_AND_NAME_ASC") == "cab"
    assert await names(limit=1, offset=1) == "b"
    assert await names(block_types={"slug": {"any_": ["a-type"]}}) == "c"
    assert await names(block_schemas={"block_capabilities": {"all_": ["sing"]}}) == "c"
    assert await names(block_documents={"block_type_id": {"any_": [other["block_type_id"]]}}) == "c"
    assert await names(block_schema_type="x") == "abc"


async def test_the_mask_stands_for_what_is_stored(blocks: Blocks, schema: Json) -> None:
    made = await blocks.document(schema)
    place = f"/block_documents/{made['id']}"
    await blocks.patch(place, {"data": {"user": "you", "password": "********"}})
    assert await blocks.data(made["id"]) == {"user": "you", "password": "hush"}
    await blocks.patch(place, {"data": {"password": "other"}})
    assert await blocks.data(made["id"]) == {"user": "you", "password": "other"}
    whole = {"data": {"password": "********"}, "merge_existing_data": False}
    await blocks.patch(place, whole)
    assert await blocks.data(made["id"]) == {"password": "other"}
    await blocks.patch(place, {})
    assert await blocks.data(made["id"]) == {"password": "other"}
    await blocks.patch(place, {"merge_existing_data": False})
    assert await blocks.data(made["id"]) == {}


async def test_a_document_moves_to_a_schema_of_its_type_only(blocks: Blocks, schema: Json) -> None:
    made = await blocks.document(schema)
    place = f"/block_documents/{made['id']}"
    newer = await blocks.schema(schema["block_type"], version="2")
    await blocks.patch(place, {"block_schema_id": newer["id"]})
    assert (await blocks.get(place))["block_schema_id"] == schema["id"]
    await blocks.patch(place, {"block_schema_id": newer["id"], "data": {}})
    assert (await blocks.get(place))["block_schema"] == newer
    other = await blocks.schema(await blocks.type("other"))
    await blocks.patch(place, {"block_schema_id": other["id"], "data": {}}, status=400)
    await blocks.patch(place, {"block_schema_id": NOBODY, "data": {}}, status=404)
    await blocks.document(schema, "x", block_type_id=other["block_type_id"], status=400)
    await blocks.document(schema, "x", block_type_id=NOBODY, status=404)
    await blocks.document(schema, "x", block_schema_id=NOBODY, status=404)


async def test_numbers_of_any_length_come_back_as_they_were(blocks: Blocks, schema: Json) -> None:
    data = {"big": 2**70, "small": -(2**70), "exact": 0.1, "text": "é\U0001f600", "none": None}
    made = await blocks.document(schema, data=data)
    assert made["data"] == data
    await blocks.patch(f"/block_documents/{made['id']}", {"data": {"more": 2**80}})
    assert await blocks.data(made["id"]) == {**data, "more": 2**80}


def refers_to(document: Json) -> Json:
    return {"$ref": {"block_document_id": document["id"]}}


async def test_a_document_shows_those_it_refers_to(blocks: Blocks, schema: Json) -> None:
    inner = await blocks.document(schema, "inner")
    middle = await blocks.document(schema, None, is_anonymous=True, data={"in": refers_to(inner)})
    outer = await blocks.document(schema, "outer", data={"a": refers_to(middle), "b": 1})
    assert outer["data"] == {"a": {"in": SHOWN}, "b": 1}
    assert await blocks.data(outer["id"]) == {"a": {"in": HELD}, "b": 1}
    reference = outer["block_document_references"]["a"]["block_document"]
    assert (reference["id"], reference["name"]) == (middle["id"], middle["name"])
    assert (reference["is_anonymous"], reference["block_type"]) == (True, schema["block_type"])
    deeper = reference["block_document_references"]["in"]["block_document"]
    assert (deeper["id"], deeper["block_document_references"]) == (inner["id"], {})
    await blocks.patch(f"/block_documents/{inner['id']}", {"data": {"user": "you"}})
    assert (await blocks.data(outer["id"]))["a"]["in"]["user"] == "you"
    found = await blocks.post("/block_documents/filter", {"sort": "NAME_DESC"})
    assert found[0] == await blocks.get(f"/block_documents/{outer['id']}")
    await blocks.delete(f"/block_documents/{inner['id']}")
    assert await blocks.data(outer["id"]) == {"a": {}, "b": 1}


async def test_references_that_are_not_said_again_are_dropped(blocks: Blocks, schema: Json) -> None:
    inner = await blocks.document(schema, "inner")
    outer = await blocks.document(schema, "outer", data={"a": refers_to(inner), "b": 1})
    await blocks.patch(f"/block_documents/{outer['id']}", {"data": {"a": refers_to(inner)}})
    assert (await blocks.data(outer["id"])) == {"a": HELD, "b": 1}
    await blocks.patch(f"/block_documents/{outer['id']}", {"data": {"b": 2}})
    assert (await blocks.data(outer["id"])) == {"b": 2}


@pytest.mark.parametrize(
    ("reference", "status"),
    [
        ({}, 400), (None, 400), ("x", 400), ({"block_document_id": None}, 400),
        ({"block_document_id": 7}, 400), ({"block_document_id": "x"}, 400),
        ({"block_document_id": NOBODY}, 409),
    ],
)  # fmt: skip
async def test_a_reference_to_nothing_is_refused(
    blocks: Blocks, schema: Json, reference: Json, status: int
) -> None:
    await blocks.document(schema, data={"a": {"$ref": reference}}, status=status)
    assert await blocks.post("/block_documents/count") == 0


async def test_a_circle_of_references_is_refused(blocks: Blocks, schema: Json) -> None:
    first = await blocks.document(schema, "first")
    second = await blocks.document(schema, "second", data={"a": refers_to(first)})
    third = await blocks.document(schema, "third", data={"a": refers_to(second)})
    place = f"/block_documents/{first['id']}"
    for closing in (first, second, third):
        answer = await blocks.patch(place, {"data": {"b": refers_to(closing)}}, status=400)
        assert "close a circle" in answer["detail"]
    assert await blocks.data(first["id"]) == HELD


async def test_documents_that_would_be_shown_without_end_are_refused(
    blocks: Blocks, schema: Json
) -> None:
    """Each refers to the one before it twice: ten of them would show two thousand."""
    last = await blocks.document(schema, "d0")
    for number in range(1, 9):
        both = {"a": refers_to(last), "b": refers_to(last)}
        last = await blocks.document(schema, f"d{number}", data=both)
    both = {"a": refers_to(last), "b": refers_to(last)}
    answer = await blocks.document(schema, "too-many", data=both, status=400)
    assert "at most 1000" in answer["detail"]


async def test_deeply_nested_data_is_refused(blocks: Blocks, schema: Json) -> None:
    deep: Json = 1
    for _ in range(250):
        deep = {"a": deep}
    answer = await blocks.document(schema, data={"x": deep}, status=422)
    assert "nested more than 200 levels" in answer["exception_detail"][0]["msg"]


async def test_a_number_that_no_decimal_holds_is_refused(blocks: Blocks, schema: Json) -> None:
    for path, body in (
        ("/block_documents/", {
            "block_type_id": schema["block_type_id"], "block_schema_id": schema["id"],
            "name": "mine", "data": {"x": "huge"},
        }),
        ("/block_schemas/", {"block_type_id": schema["block_type_id"], "fields": {"x": "huge"}}),
    ):  # fmt: skip
        text = msgspec.json.encode(body).replace(b'"huge"', b"1e999")
        headers = {"content-type": "application/json"}
        answer = await blocks.client.post(f"/api{path}", content=text, headers=headers)
        assert answer.status_code == 422, answer.text
        assert "1e999 is larger than a decimal" in answer.text


async def test_two_who_close_halves_of_a_circle_at_once_do_not_both(
    blocks: Blocks, schema: Json
) -> None:
    one, two = await blocks.document(schema, "one"), await blocks.document(schema, "two")

    async def refer(document: Json, other: Json) -> int:
        place = f"/api/block_documents/{document['id']}"
        body = {"data": {"a": refers_to(other)}}
        return (await blocks.client.patch(place, json=body)).status_code

    assert sorted(await asyncio.gather(refer(one, two), refer(two, one))) == [204, 400]
