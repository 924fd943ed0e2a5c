"""Too much, too long, too far, and what is no schedule; numbers of any length are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from armillary.core import Core
from tests.api import Api
from tests.contracts.bad_input.sending import JSON, Sent, fail_for, send
from tests.contracts.every_route import http_routes, in_order, path_of, takes_json
from tests.contracts.world import World, rows_of

MIB = 1024 * 1024
BIG = b"1" + b"0" * 40 + b"1"
SCHEDULES: list[dict[str, Any]] = [
    {"cron": "nonsense"}, {"cron": ""}, {"cron": "61 * * * *"}, {"cron": "* * * * * * * *"},
    {"cron": 7}, {"cron": "0 0 31 2 *x"},
    {"cron": "0 0 * * *", "timezone": "Mars/Olympus"},
    {"cron": "0 0 * * *", "timezone": "../etc/passwd"},
    {"cron": "*/0 * * * *"}, {"cron": "R * * * *"},
    {"cron": "0 0 * * *", "day_or": "x"}, {"cron": "9" * 5000 + " * * * *"},
    {"interval": 0}, {"interval": -5}, {"interval": "x"}, {"interval": 1e300}, {"interval": 10**30},
    {"interval": 1e-9}, {"interval": 60, "anchor_date": "x"}, {"interval": [60]},
    {"interval": 60, "anchor_date": "0001-01-01T00:00:00+14:00"},
    {"interval": 60, "timezone": "Mars/Olympus"}, {"interval": "nan"},
    {"rrule": "nonsense"}, {"rrule": ""}, {"rrule": "FREQ=NEVER"}, {"rrule": "FREQ=DAILY;COUNT=x"},
    {"rrule": "FREQ=DAILY;INTERVAL=0"}, {"rrule": "x" * 10_000}, {"rrule": 7},
    {"rrule": "FREQ=DAILY", "timezone": "Mars/Olympus"}, {"rrule": "FREQ=DAILY;BYMONTH=13"},
    {"rrule": "DTSTART:00000101T000000\nRRULE:FREQ=DAILY"},
    {"rrule": f"FREQ=DAILY;INTERVAL={'9' * 30}"}, {}, {"strange": 1},
]  # fmt: skip
SCHEMAS: list[Any] = [
    {"type": "nope"}, {"properties": 7}, {"properties": {"a": {"pattern": "("}}},
    {"properties": {"a": {"multipleOf": 1e-300}}}, {"properties": {"a": {"multipleOf": 0}}},
    {"$ref": "http://127.0.0.1:1/x"}, {"$ref": "#/definitions/missing"}, {"$ref": "#"}, {"$ref": 7},
    {"patternProperties": {"(": {}}}, {"$dynamicRef": "#x"}, {"$id": "::::"}, {"$schema": 7},
    {"$id": "http://[", "$ref": "x"}, {"required": "a"}, {"definitions": 7}, {"allOf": [7]},
    {"properties": {"a": {"minLength": "x"}}}, {"properties": {"a": {"enum": 7}}},
    {"properties": {"a": {"maximum": 10**400}}}, {"$defs": {"x": 7}}, {"type": ["object", 7]},
    {"properties": {"a": {"type": "x", "default": 1}}}, {"properties": {"a": {"format": 7}}},
    {"definitions": {"x": {"block_type_slug": 7, "properties": [7]}}},
    {"properties": {"a": {"items": [7]}}}, {"properties": {"a": {"required": 7, "properties": 7}}},
]  # fmt: skip
VALUES: list[Any] = ["x", 10**400, 1.5, None, ["x"], {"__prefect_kind": "json", "value": "{"}]


async def test_a_body_over_the_limit_is_refused(
    core: Core, api: Api, world: World, ours: Callable[[int], bool]
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b'"'
        for _ in range(16):
            yield b"x" * MIB
        yield b'"'

    before, wrong = await rows_of(core), list[Sent]()
    for place, route in enumerate(in_order(http_routes(core))):
        path = path_of(route, world)
        announced = {**JSON, "content-length": str(20 * MIB)}
        found = [await send(api, route, path, "a length", content=b"{}", headers=announced)]
        if ours(place) and takes_json(route):
            found.append(await send(api, route, path, "parts", content=parts(), headers=JSON))
        for sent in found:
            told = msgspec.json.decode(sent.text)["detail"] if sent.status == 413 else ""
            if "larger than 16 MiB, the limit: send it in parts" not in told:
                wrong.append(sent)
    fail_for(wrong)
    assert await rows_of(core) == before


async def test_parameters_over_the_limit_are_refused(core: Core, api: Api, world: World) -> None:
    before = await rows_of(core)
    large = {"a": "x" * (512 * 1024)}
    told = [
        await api.post("/flow_runs/", {"flow_id": world.flow, "parameters": large}, status=422),
        await api.patch(f"/flow_runs/{world.run}", {"parameters": large}, status=422),
        await api.post(
            "/deployments/",
            {"name": "x", "flow_id": world.flow, "parameters": large}, status=422,
        ),
        await api.patch(f"/deployments/{world.deployment}", {"parameters": large}, status=422),
        await api.post(
            f"/deployments/{world.deployment}/create_flow_run", {"parameters": large}, status=422
        ),
    ]  # fmt: skip
    schedule = {"schedule": {"cron": "0 0 * * *"}, "parameters": large}
    place = f"/deployments/{world.deployment}/schedules"
    told.append(await api.post(place, [schedule], status=422))
    told.append(await api.patch(f"{place}/{world.schedule}", schedule, status=422))
    for each in told:
        assert "524288" in each["exception_detail"][0]["msg"]
    assert await rows_of(core) == before


async def test_what_is_no_schedule_is_refused(core: Core, api: Api, world: World) -> None:
    before, wrong = await rows_of(core), []
    place = f"/api/deployments/{world.deployment}/schedules"
    for schedule in SCHEDULES:
        given = {"schedule": schedule}
        deployment = {"name": "x", "flow_id": world.flow, "schedules": [given]}
        for method, path, body in (
            ("POST", place, [given]),
            ("PATCH", f"{place}/{world.schedule}", given),
            ("POST", "/api/deployments/", deployment),
            ("PATCH", f"/api/deployments/{world.deployment}", {"schedules": [given]}),
        ):
            answer = await api.client.request(method, path, json=body)
            if answer.status_code != 422:
                wrong.append(f"{method} {path} {schedule}: {answer.status_code} {answer.text}")
    assert not wrong, "\n".join(wrong)
    assert await rows_of(core) == before


async def test_no_schema_is_a_fault(api: Api, world: World) -> None:
    wrong = []
    for number, schema in enumerate(SCHEMAS):
        body = {
            "name": f"d{number}", "flow_id": world.flow, "parameter_openapi_schema": schema,
            "enforce_parameter_schema": True,
        }  # fmt: skip
        made = await api.client.post("/api/deployments/", json=body)
        if made.status_code >= 500:
            wrong.append(f"{schema}: {made.status_code} {made.text}")
        template = {"job_configuration": {}, "variables": schema}
        pool = {"name": f"p{number}", "type": "process", "base_job_template": template}
        answer = await api.client.post("/api/work_pools/", json=pool)
        if answer.status_code >= 500:
            wrong.append(f"pool {schema}: {answer.status_code} {answer.text}")
        for value in VALUES if made.is_success else ():
            for path, given in (
                (f"{made.json()['id']}/create_flow_run", {"parameters": {"a": value}}),
                ("", {**body, "parameters": {"a": value}}),
                ("", {**body, "work_pool_name": f"p{number}", "job_variables": {"a": value}}),
            ):
                answer = await api.client.post(f"/api/deployments/{path}", json=given)
                if answer.status_code >= 500:
                    wrong.append(f"{schema} {path} {value!r:.20}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("number", [BIG, b"-" + BIG, b"1.000000000000000000000000001", b"1E400"])
async def test_numbers_of_any_length_are_kept_in_documents(
    api: Api, world: World, number: bytes
) -> None:
    parameters = b'{"parameters":{"a":' + number + b',"b":[' + number + b"]}}"
    place = f"/api/deployments/{world.deployment}"
    changed = await api.client.patch(place, content=parameters)
    assert changed.status_code == 204
    assert number in (await api.client.get(place)).content
    made = await api.client.post(f"{place}/create_flow_run", content=b"{}")
    assert made.content.count(number) == 2
    assert (await api.client.get(f"/api/flow_runs/{made.json()['id']}")).content.count(number) == 2
    data = b'{"state":{"type":"COMPLETED","data":{"type":"x","n":' + number + b"}}}"
    await api.client.post(f"/api/flow_runs/{made.json()['id']}/set_state", content=data)
    read = await api.client.get(f"/api/flow_runs/{made.json()['id']}")
    assert read.json()["state_type"] == "COMPLETED"


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/flows/filter", "offset"), ("/flow_runs/paginate", "page"), ("/logs/filter", "offset"),
        ("/work_pools/pool/workers/heartbeat", "heartbeat_interval_seconds"),
        ("/v2/concurrency_limits/increment", "slots"), ("/work_pools/", "concurrency_limit"),
    ],
)  # fmt: skip
async def test_numbers_of_any_length_are_refused_in_members(
    api: Api, world: World, path: str, member: str
) -> None:
    assert world.flow
    for number in (2**63, 2**64, 10**30, -(10**30), str(10**30)):
        body = {"name": "n", "names": ["slots"], "type": "process", member: number}
        told = await api.post(path, body, status=422)
        assert told["exception_message"] == "Invalid request received."


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (201, "Invalid limit: must be less than or equal to 200."),
        (10**30, "Invalid limit: must be less than or equal to 200."),
        (-1, "Invalid limit: must be greater than or equal to 0."),
        (-(10**30), "Invalid limit: must be greater than or equal to 0."),
    ],
)
@pytest.mark.parametrize("kind", ["flows", "flow_runs", "task_runs", "deployments", "logs"])
async def test_a_limit_out_of_bounds_is_told_in_known_words(
    api: Api, kind: str, limit: int, told: str
) -> None:
    assert await api.post(f"/{kind}/filter", {"limit": limit}, status=422) == {"detail": told}
