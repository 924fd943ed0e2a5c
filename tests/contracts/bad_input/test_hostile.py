"""What is valid JSON and hard to bear: members given twice, ten thousand ids, huge numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from armillary.api import Route
from armillary.core import Core
from tests.api import Api
from tests.contracts.bad_input.sending import JSON, Sent, fail_for, send
from tests.contracts.every_route import name_of, path_of, request_of, with_bodies
from tests.contracts.world import World, rows_of

MANY = 10_000
LIMITED = ("900 is the limit", "Invalid enum value")
"""Of prefixes and labels there can be fewer, and some texts are one of a few words."""
LOOKS = ("filter", "count", "history", "paginate", "lateness")
HUGE = str(2**70).encode()
IDS = [f"00000000-0000-4000-8000-{number:012x}" for number in range(MANY)]
NAMES = [f"name-{number}" for number in range(MANY)]


def twice(value: Any) -> bytes:
    """JSON in which every object has each of its members two times."""
    if isinstance(value, dict):
        members = [msgspec.json.encode(name) + b":" + twice(each) for name, each in value.items()]
        return b"{" + b",".join([*members, *members]) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(twice, value)) + b"]"
    return msgspec.json.encode(value)


def multiplied(value: Any) -> Any:
    """A body with ten thousand texts wherever it has a list of some."""
    if isinstance(value, dict):
        return {name: multiplied(each) for name, each in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], str):
        return [*value, *(IDS if value[0].count("-") == 4 else NAMES)]
    return list(map(multiplied, value)) if isinstance(value, list) else value


async def test_members_that_come_twice_are_no_fault(
    core: Core, api: Api, world: World, ours: Callable[[int], bool]
) -> None:
    wrong = []
    for place, route in enumerate(with_bodies(core)):
        if ours(place):
            body = twice(request_of(route, world).body)
            sent = await send(
                api, route, path_of(route, world), "twice", content=body, headers=JSON
            )
            if sent.status >= 500:
                wrong.append(sent)
    fail_for(wrong)


async def test_of_a_member_that_comes_twice_the_last_one_counts(api: Api) -> None:
    body = b'{"name":"a","name":"b","value":{"x":1,"x":2}}'
    made = await api.client.post("/api/variables/", content=body)
    assert (made.json()["name"], made.json()["value"]) == ("b", {"x": 2})


async def test_ten_thousand_of_whatever_there_can_be_several_are_no_fault(
    core: Core, api: Api, world: World, ours: Callable[[int], bool]
) -> None:
    before, wrong = await rows_of(core), list[Sent]()
    routes = sorted(with_bodies(core), key=lambda each: not looks(each))
    bodies = {name_of(each): request_of(each, world).body for each in routes}
    for place, route in enumerate(routes):
        larger = multiplied(bodies[name_of(route)])
        if not ours(place) or larger == bodies[name_of(route)]:
            continue
        if before and not looks(route):
            assert await rows_of(core) == before
            before = {}
        sent = await send(api, route, path_of(route, world), "10,000", json=larger)
        refused = sent.told and any(words in sent.text for words in LIMITED)
        if sent.status >= 500 or (looks(route) and sent.status != 200 and not refused):
            wrong.append(sent)
    fail_for(wrong)


def looks(route: Route) -> bool:
    """Whether it changes nothing, and takes any filter."""
    return route.path.rpartition("/")[2] in LOOKS


Document = tuple[str, str, str, str]
DOCUMENTS: list[Document] = [
    ("PATCH", "/flow_runs/{run}", '{"parameters":{"a":[#]}}', "/flow_runs/{run}"),
    ("PATCH", "/flow_runs/{run}", '{"job_variables":{"a":#}}', "/flow_runs/{run}"),
    ("PATCH", "/deployments/{deployment}", '{"parameters":{"a":#}}', "/deployments/{deployment}"),
    ("PATCH", "/deployments/{deployment}", '{"pull_steps":[{"a":#}]}', "/deployments/{deployment}"),
    ("POST", "/flow_runs/{run}/set_state",
     '{"force":true,"state":{"type":"COMPLETED","data":{"a":#}}}', "/flow_run_states/{}"),
    ("PATCH", "/variables/{variable}", '{"value":{"a":[#]}}', "/variables/{variable}"),
    ("PATCH", "/block_documents/{block}", '{"data":{"a":{"b":#}}}', "/block_documents/{block}"),
    ("PATCH", "/artifacts/{artifact}", '{"data":{"a":#}}', "/artifacts/{artifact}"),
    ("PATCH", "/work_pools/pool",
     '{"base_job_template":{"job_configuration":{"a":#},"variables":{}}}', "/work_pools/pool"),
    ("PUT", "/saved_searches/", """{"name":"n","filters":[{"object":"o","property":"p",
     "type":"t","operation":"=","value":#}]}""", "/saved_searches/{}"),
    ("POST", "/automations/", """{"name":"n","trigger":{"posture":"Reactive"},"actions":[{"type":
     "run-deployment","deployment_id":"{deployment}","parameters":{"a":#}}]}""",
     "/automations/{}"),
]  # fmt: skip
"""A change with a free part, and where it is read."""


async def test_huge_numbers_come_back_as_they_went(api: Api, world: World) -> None:
    ids = msgspec.structs.asdict(world)
    for method, *texts in DOCUMENTS:
        path, body, read = (_filled(text, ids) for text in texts)
        content = body.encode().replace(b"#", HUGE)
        done = await api.client.request(method, f"/api{path}", content=content)
        assert done.is_success, (path, done.text)
        made = done.json() if done.content else {}
        made_id = made.get("id") or made.get("state", {}).get("id", "")
        found = await api.client.get(f"/api{read.replace('{}', made_id)}")
        assert HUGE in found.content, (path, found.text)


async def test_numbers_that_python_cannot_read_back_are_refused(
    core: Core, api: Api, world: World
) -> None:
    ids, before = msgspec.structs.asdict(world), await rows_of(core)
    for method, *texts in DOCUMENTS:
        path, body, _ = (_filled(text, ids) for text in texts)
        content = body.encode().replace(b"#", b"9" * 4301)
        refused = await api.client.request(method, f"/api{path}", content=content)
        assert refused.status_code == 422, (path, refused.text)
        assert "4300 digits" in refused.json()["exception_detail"][0]["msg"]
    assert await rows_of(core) == before


async def test_as_many_digits_are_kept_as_a_text_or_a_digit_less_as_a_number(api: Api) -> None:
    for value in (f'"{"9" * 4500}"', "9" * 4300):
        body = f'{{"name":"a","value":{value}}}'.encode()
        made = await api.client.post("/api/variables/", content=body)
        assert made.json()["value"] == json.loads(value)
        await api.client.delete("/api/variables/name/a")


def _filled(text: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        text = text.replace(f"{{{name}}}", value)
    return text
