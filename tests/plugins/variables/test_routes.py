"""Variables over HTTP, as clients use them."""

from typing import Any

import pytest

from armillary.core import Core
from armillary.testing import ManualClock
from armillary_plugins.variables.schemas import LARGEST_VALUE
from tests.api import NOBODY, OTHER_PREFIX, Api, add_other_workspace, events

TAKEN = {"detail": "A variable with the name 'region' already exists."}
EVERY_KIND = [
    "text", "", "\u00e9 \U0001f30a", 0, -1, 2**70, 1.5, 1e300, True, False, None, {}, [],
    {"deep": [{"down": None}], "": 1}, ["x", 1, None, [[]]],
]  # fmt: skip


async def make(api: Api, name: str = "region", value: Any = "eu", **more: Any) -> dict[str, Any]:
    body = {"name": name, "value": value, **more}
    made: dict[str, Any] = await api.post("/variables/", body, status=201)
    return made


async def names(api: Api, filters: Any = None, **more: Any) -> list[str]:
    found = await api.post("/variables/filter", {"variables": filters, **more})
    return [each["name"] for each in found]


async def test_a_variable_is_created_read_changed_and_deleted(api: Api, clock: ManualClock) -> None:
    made = await make(api, tags=["b", "a"])
    assert (made["name"], made["value"], made["tags"]) == ("region", "eu", ["b", "a"])
    assert made["created"] == made["updated"] == "2026-01-01T12:00:00Z"
    for path in (f"/variables/{made['id']}", "/variables/name/region"):
        assert await api.get(path) == made
    await clock.advance(60)
    await api.patch(f"/variables/{made['id']}", {"value": {"zone": 1}})
    await api.patch("/variables/name/region", {"name": "place", "tags": []})
    changed = await api.get("/variables/name/place")
    assert changed == {
        **made, "name": "place", "value": {"zone": 1}, "tags": [],
        "updated": "2026-01-01T12:01:00Z",
    }  # fmt: skip
    await api.get("/variables/name/region", status=404)
    await api.delete("/variables/name/place")
    await make(api)
    assert await names(api) == ["region"]
    await api.delete(f"/variables/{(await api.get('/variables/name/region'))['id']}")
    assert await api.post("/variables/count", {}) == 0


async def test_what_is_not_there_is_not_found(api: Api) -> None:
    for place in (NOBODY, "name/nobody", "name/No%20Name"):
        for method, body in (("GET", None), ("PATCH", {"value": 1}), ("DELETE", None)):
            answer = await api.call(method, f"/variables/{place}", body, status=404)
            assert answer == {"detail": "Variable not found."}
    await api.get("/variables/region", status=404)


@pytest.mark.parametrize("value", EVERY_KIND, ids=repr)
async def test_a_value_of_any_kind_stays_what_it_is(api: Api, value: Any) -> None:
    assert (await make(api, "a", value))["value"] == value
    assert (await api.get("/variables/name/a"))["value"] == value
    await make(api, "b", "something else")
    await api.patch("/variables/name/b", {"value": value})
    kept = (await api.get("/variables/name/b"))["value"]
    assert (kept, type(kept)) == (value, type(value))


async def test_numbers_stay_as_they_were_written(api: Api) -> None:
    for text in (b"1.0", b"1.10", b"1e2", b"123456789012345678901234567890.5"):
        answer = await api.client.post(
            "/api/variables/", content=b'{"name": "n", "value": [ ' + text + b" ]}"
        )
        assert b'"value":[' + text + b"]" in answer.content
        await api.delete("/variables/name/n")


async def test_null_is_a_value_and_absence_is_none(api: Api) -> None:
    await make(api)
    await api.patch("/variables/name/region", {"name": None, "tags": None})
    assert (await api.get("/variables/name/region"))["value"] == "eu"
    await api.patch("/variables/name/region", {"value": None})
    assert (await api.get("/variables/name/region"))["value"] is None
    await api.post("/variables/", {"name": "without"}, status=422)


async def test_a_name_is_there_once(api: Api) -> None:
    made = await make(api)
    other = await make(api, "other", tags=None)
    body = {"name": "region", "value": 1}
    assert await api.post("/variables/", body, status=409) == TAKEN
    for path in (f"/variables/{other['id']}", "/variables/name/other"):
        assert await api.patch(path, {"name": "region", "value": 1}, status=409) == TAKEN
    await api.patch(f"/variables/{made['id']}", {"name": "region"})
    assert (await api.get("/variables/name/other"))["value"] == "eu"


@pytest.mark.parametrize("name", ["Region", "a b", "a/b", "\u00e9", "a.b", "a\n", "a" * 256, 7])
async def test_what_is_no_name_is_refused(api: Api, name: Any) -> None:
    await make(api, "ok")
    await api.post("/variables/", {"name": name, "value": 1}, status=422)
    refused = await api.patch("/variables/name/ok", {"name": name}, status=422)
    assert refused["exception_detail"][0]["loc"] == ["body", "name"]
    assert await names(api) == ["ok"]


@pytest.mark.parametrize("name", ["a", "a_b-c", "-", "0", "a" * 255])
async def test_lower_case_digits_dashes_and_underscores_are_a_name(api: Api, name: str) -> None:
    await make(api, name)
    assert (await api.get(f"/variables/name/{name}"))["name"] == name


async def test_a_value_is_as_large_as_it_is_without_blanks_and_escapes(api: Api) -> None:
    longest = "x" * (LARGEST_VALUE - 2)
    await make(api, "fits", longest)
    for more in (longest + "x", [longest], "\u00e9" * (LARGEST_VALUE // 2)):
        refused = await api.post("/variables/", {"name": "large", "value": more}, status=422)
        assert "5000" in refused["exception_detail"][0]["msg"]
        await api.patch("/variables/name/fits", {"value": more}, status=422)
    spread = b'{"name": "spread", "value": [1,' + b" " * LARGEST_VALUE + b'"\\u00e9"]}'
    answer = await api.client.post("/api/variables/", content=spread)
    assert (answer.status_code, answer.json()["value"]) == (201, [1, "\u00e9"])


async def test_a_number_that_python_cannot_read_is_refused(api: Api) -> None:
    body = b'{"name": "n", "value": ' + b"1" * 4900 + b"}"
    assert (await api.client.post("/api/variables/", content=body)).status_code == 422


async def test_filters_choose_among_variables(api: Api) -> None:
    ids = {}
    for name, tags in (("alpha", ["x", "y"]), ("beta_1", ["x"]), ("gamma", [])):
        ids[name] = (await make(api, name, tags=tags))["id"]
    every = ["alpha", "beta_1", "gamma"]
    for filters, found in (
        (None, every), ({}, every), ({"id": None, "name": {}}, every),
        ({"id": {"any_": [ids["gamma"], NOBODY]}}, ["gamma"]), ({"id": {"any_": []}}, []),
        ({"name": {"any_": ["alpha", "gamma"]}}, ["alpha", "gamma"]),
        ({"name": {"like_": "A_1"}}, ["beta_1"]), ({"name": {"like_": ""}}, every),
        ({"tags": {"all_": ["x"]}}, ["alpha", "beta_1"]),
        ({"tags": {"all_": ["y", "x"]}}, ["alpha"]), ({"tags": {"all_": []}}, every),
        ({"tags": {"is_null_": True}}, ["gamma"]),
        ({"tags": {"is_null_": False}}, ["alpha", "beta_1"]),
        ({"tags": {"operator": "or_", "all_": ["y"], "is_null_": True}}, ["alpha", "gamma"]),
        ({"name": {"like_": "ta"}, "tags": {"all_": ["y"]}}, []),
        ({"operator": "or_", "name": {"like_": "ta"}, "tags": {"all_": ["y"]}}, every[:2]),
    ):  # fmt: skip
        assert await names(api, filters) == found, filters
        count = await api.post("/variables/count", {"variables": filters})
        assert count == len(found), filters


async def test_variables_are_listed_in_parts_and_orders(api: Api, clock: ManualClock) -> None:
    for name in ("b", "c", "a"):
        await make(api, name)
        await clock.advance(1)
    await api.patch("/variables/name/c", {"value": 2})
    for sort, found in (
        ("NAME_ASC", "abc"), ("NAME_DESC", "cba"), ("CREATED_DESC", "acb"),
        ("UPDATED_DESC", "cab"), (None, "abc"),
    ):  # fmt: skip
        assert await names(api, sort=sort) == list(found), sort
    assert await names(api, limit=1, offset=1) == ["b"]
    assert await names(api, limit=0) == []
    refused = await api.post("/variables/filter", {"limit": 201}, status=422)
    assert refused == {"detail": "Invalid limit: must be less than or equal to 200."}
    await api.post("/variables/filter", {"offset": -1}, status=422)
    await api.post("/variables/filter", {"sort": "SIZE"}, status=422)


async def test_a_list_gives_two_hundred_at_most_and_the_count_gives_all(api: Api) -> None:
    for number in range(201):
        await make(api, f"v{number:03}", number)
    found = await api.post("/variables/filter", {})
    assert [each["value"] for each in found] == list(range(200))
    assert await names(api, offset=200) == ["v200"]
    assert await api.post("/variables/count", {}) == 201


async def test_workspaces_have_variables_of_their_own(api: Api, core: Core) -> None:
    await add_other_workspace(core)
    other = Api(api.client, OTHER_PREFIX)
    made = await make(api, value=1)
    await make(other, value=2)
    assert (await other.get("/variables/name/region"))["value"] == 2
    await other.get(f"/variables/{made['id']}", status=404)
    await other.delete(f"/variables/{made['id']}", status=404)
    await other.delete("/variables/name/region")
    assert (await api.get("/variables/name/region"))["value"] == 1


async def test_changes_to_a_variable_are_events(api: Api, core: Core) -> None:
    made = await make(api, value=2**70, tags=["t"])
    await api.patch("/variables/name/region", {"value": None})
    await api.patch("/variables/name/region", {"name": "UPPER"}, status=422)
    await api.delete("/variables/name/region")
    told = await events(core)
    assert [each["event"] for each in told] == [
        f"prefect.variable.{verb}" for verb in ("created", "updated", "deleted")
    ]
    assert [each["payload"] for each in told] == [
        {"name": "region", "value": value, "tags": ["t"]} for value in (2**70, None, None)
    ]
    assert told[0]["resource"] == {
        "prefect.resource.id": f"prefect.variable.{made['id']}", "prefect.resource.name": "region",
    }  # fmt: skip
