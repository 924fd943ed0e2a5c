"""Saved searches over HTTP."""

from typing import Any

import pytest

from armillary.core import Core
from armillary.testing import ManualClock
from tests.api import NOBODY, OTHER_PREFIX, Api, add_other_workspace

CONDITION = {
    "object": "flow_run", "property": "name", "type": "string", "operation": "equals",
    "value": {"any": [2**70, None, "x"]},
}  # fmt: skip
MISSING = {"detail": "Saved search not found"}


async def save(api: Api, name: str, *conditions: Any, status: int = 201) -> Any:
    body = {"name": name, "filters": conditions}
    return await api.call("PUT", "/saved_searches/", body, status=status)


async def test_a_search_is_saved_replaced_and_deleted(api: Api, clock: ManualClock) -> None:
    saved = await save(api, "late ones", CONDITION)
    assert (saved["name"], saved["filters"]) == ("late ones", [CONDITION])
    path = f"/saved_searches/{saved['id']}"
    assert await api.get(path) == saved
    await clock.advance(60)
    again = await save(api, "late ones", {**CONDITION, "value": None}, status=200)
    assert again == {
        **saved, "filters": [{**CONDITION, "value": None}], "updated": "2026-01-01T12:01:00Z",
    }  # fmt: skip
    assert await api.get(path) == again
    await api.delete(path)
    assert await api.get(path, status=404) == MISSING
    assert await api.delete(path, status=404) == MISSING
    assert await api.delete(f"/saved_searches/{NOBODY}", status=404) == MISSING


async def test_searches_are_listed_by_name_in_parts(api: Api) -> None:
    for name in ("b", "a", "c"):
        await api.call("PUT", "/saved_searches/", {"name": name}, status=201)
    found = await api.post("/saved_searches/filter", {"limit": 2, "offset": 1})
    assert [(each["name"], each["filters"]) for each in found] == [("b", []), ("c", [])]
    assert len(await api.post("/saved_searches/filter", {})) == 3
    assert await api.post("/saved_searches/filter", {"limit": 0}) == []
    for body in ({"limit": 201}, {"offset": -1}):
        await api.post("/saved_searches/filter", body, status=422)


@pytest.mark.parametrize(
    "body",
    [{}, {"filters": []}, {"name": 7}, {"name": "n", "filters": [{}]},
     {"name": "n", "filters": [{**CONDITION, "object": None}]}, {"name": "n", "filters": {}}],
)  # fmt: skip
async def test_what_is_no_search_is_refused(api: Api, body: Any) -> None:
    await api.call("PUT", "/saved_searches/", body, status=422)


async def test_workspaces_have_searches_of_their_own(api: Api, core: Core) -> None:
    await add_other_workspace(core)
    other = Api(api.client, OTHER_PREFIX)
    ours = await save(api, "same", CONDITION)
    theirs = await save(other, "same")
    assert ours["id"] != theirs["id"]
    await other.get(f"/saved_searches/{ours['id']}", status=404)
    await other.delete(f"/saved_searches/{ours['id']}", status=404)
    assert await other.post("/saved_searches/filter", {}) == [theirs]
    assert await api.post("/saved_searches/filter", {}) == [ours]
