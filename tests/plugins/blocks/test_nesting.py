"""Schemas within schemas, their checksums, and the paths to secrets."""

from __future__ import annotations

from typing import Any

import pytest

from armillary_plugins.blocks.catalogue import SystemType, catalogue
from armillary_plugins.blocks.checksum import checksum_of
from armillary_plugins.blocks.secret_fields import MASK, hidden, kept
from tests.plugins.blocks.conftest import Blocks

Json = Any


@pytest.mark.parametrize("system", catalogue().types, ids=lambda each: each.slug)
def test_schemas_of_the_sdk_have_the_checksums_it_computes(system: SystemType) -> None:
    assert checksum_of(system.fields) == system.checksum
    assert system.description.endswith(".")


def test_what_is_secret_and_what_other_blocks_look_like_is_not_in_a_checksum() -> None:
    plain = {"title": "A", "properties": {"a": {"$ref": "#/definitions/P"}}}
    definitions: Json = {"P": {"x": 1}, "B": {"block_type_slug": "b"}, "U": {"unused": 1}}
    whole = {**plain, "secret_fields": ["a"], "definitions": definitions}
    assert checksum_of(whole) == checksum_of({**plain, "definitions": {"P": {"x": 1}}})
    assert checksum_of(whole) != checksum_of(plain)
    assert checksum_of({**plain, "definitions": {"P": {}}}) == checksum_of(plain)
    assert checksum_of({"a": "é"}) == checksum_of({"a": "\u00e9"})


def fields(slug: str, **more: Json) -> Json:
    return {"title": slug.title(), "type": "object", "block_type_slug": slug, **more}


def reference(slug: str, child: Json) -> Json:
    return {"block_type_slug": slug, "block_schema_checksum": checksum_of(child)}


async def test_schemas_that_are_referred_to_are_found_in_the_definitions(blocks: Blocks) -> None:
    types = {slug: await blocks.type(slug) for slug in ("outer", "middle", "one", "two")}
    one, two = fields("one", a=1), fields("two", a=2)
    middle = fields(
        "middle",
        properties={
            "either": {"anyOf": [{"$ref": "#/definitions/One"}, {"$ref": "#/definitions/Two"}]}
        },
        block_schema_references={"either": [reference("one", one), reference("two", two)]},
    )
    inside = {**middle, "definitions": {"One": one, "Two": two}}
    outer = fields(
        "outer",
        properties={"m": {"$ref": "#/definitions/Middle"}, "p": {"$ref": "#/definitions/Plain"}},
        block_schema_references={"m": reference("middle", inside)},
        definitions={"Middle": middle, "One": one, "Two": two, "Plain": {"z": 1}},
    )
    made = await blocks.schema(types["outer"], fields=outer)
    assert made["checksum"] == checksum_of(outer)
    below = {
        name: {**each, "block_schema_references": {}} for name, each in (("One", one), ("Two", two))
    }
    shown = {**outer, "definitions": {"Middle": middle, **below, "Plain": {"z": 1}}}
    assert made["fields"] == shown
    assert await blocks.get(f"/block_schemas/{made['id']}") == made
    found = await blocks.get(f"/block_schemas/checksum/{checksum_of(inside)}")
    assert found["block_type"] == types["middle"]
    assert found["fields"] == {**middle, "definitions": below}
    assert checksum_of(made["fields"]) == made["checksum"]
    of_type = {"block_schemas": {"block_type_id": {"any_": [types["outer"]["id"]]}}}
    assert await blocks.post("/block_schemas/filter", of_type) == [made]
    await blocks.delete(f"/block_types/{types['middle']['id']}")
    alone = (await blocks.get(f"/block_schemas/{made['id']}"))["fields"]
    assert alone["block_schema_references"] == {}


@pytest.mark.parametrize(
    ("references", "definitions", "status"),
    [
        ({"a": {"block_type_slug": "nobody", "block_schema_checksum": "x"}}, {}, 409),
        ({"a": {"block_type_slug": "creds", "block_schema_checksum": "x"}}, {}, 422),
        ({"a": {"block_type_slug": "creds"}}, {}, 422),
        ({"a": [7]}, {}, 422),
        (
            {"a": {"block_type_slug": "creds", "block_schema_checksum": "x"}},
            {
                "A": {
                    "block_type_slug": "creds", "properties": {"a": {"$ref": "#/definitions/A"}},
                    "block_schema_references": {
                        "a": {"block_type_slug": "creds", "block_schema_checksum": "x"}
                    },
                }
            },
            422,
        ),
    ],
)  # fmt: skip
async def test_references_of_schemas_that_lead_nowhere_or_back_are_refused(
    blocks: Blocks, references: Json, definitions: Json, status: int
) -> None:
    block_type = await blocks.type()
    body = fields(
        "creds",
        properties={"a": {"$ref": "#/definitions/A"}},
        block_schema_references=references,
        definitions=definitions,
    )
    await blocks.schema(block_type, fields=body, status=status)
    of_type = {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}
    assert await blocks.post("/block_schemas/filter", of_type) == []


@pytest.mark.parametrize(
    ("path", "data", "shown"),
    [
        ("a", {"a": "x", "b": "y"}, {"a": MASK, "b": "y"}),
        ("a", {"a": None}, {"a": None}),
        ("a", {"a": 7}, {"a": MASK}),
        ("a", {"a": ["x", "y"]}, {"a": MASK}),
        ("a", {"a": {"b": "x", "c": {"d": 1}}}, {"a": {"b": MASK, "c": {"d": MASK}}}),
        ("a.b", {"a": {"b": "x", "c": "y"}}, {"a": {"b": MASK, "c": "y"}}),
        ("a.*", {"a": {"b": "x", "c": {"d": "y"}}, "z": 1},
         {"a": {"b": MASK, "c": {"d": MASK}}, "z": 1}),
        ("a.*.c", {"a": {"b": {"c": "x", "d": "y"}}}, {"a": {"b": {"c": MASK, "d": MASK}}}),
        ("a.b", {"a": [{"b": "x"}, {"c": "y"}]}, {"a": [{"b": MASK}, {"c": "y"}]}),
        ("a.b", {"a": "x"}, {"a": "x"}),
        ("b", {}, {}),
    ],
)  # fmt: skip
def test_a_mask_stands_for_everything_at_a_path(path: str, data: Json, shown: Json) -> None:
    assert hidden(data, [path, path]) == shown
    assert kept(shown, data, [path]) == data


def test_a_mask_where_nothing_was_stored_stays() -> None:
    assert kept({"a": MASK, "b": {"c": MASK}}, {"b": {}}, ["a", "b.*"]) == {
        "a": MASK, "b": {"c": MASK},
    }  # fmt: skip
