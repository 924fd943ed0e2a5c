"""Parameters that stand for variables: read where runs are made and deployments changed."""

from collections.abc import Collection
from typing import Any

import httpx
import msgspec
import pytest

from armillary.core import Core
from armillary.db.unit import Reader
from armillary.deployments.hydration import HydrationError
from armillary.deployments.variables import Variables, VariableSource
from armillary.testing import app_of
from tests.api import OTHER_PREFIX, Api, add_other_workspace

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
UNHAD = "Variable 'gone' not found in workspace."


def variable(name: object) -> dict[str, object]:
    return {"__prefect_kind": "workspace_variable", "variable_name": name}


async def keep(api: Api, name: str, value: Any) -> None:
    await api.post("/variables/", {"name": name, "value": value}, status=201)


async def test_a_run_gets_the_values_variables_have_when_it_is_made(api: Api) -> None:
    await keep(api, "limit", {"n": 2**70, "also": [None, 1.5]})
    await keep(api, "other", "limit")
    made = await api.deployment(
        parameters={"a": variable("limit"), "b": [{"c": variable("limit")}], "d": "stays"}
    )
    assert made["parameters"]["a"] == variable("limit")
    run = await api.run(made["id"], parameters={"e": variable(variable("other"))})
    value = {"n": 2**70, "also": [None, 1.5]}
    assert run["parameters"] == {"a": value, "b": [{"c": value}], "d": "stays", "e": value}
    await api.patch("/variables/name/limit", {"value": 1})
    assert (await api.run(made["id"]))["parameters"]["a"] == 1
    results = await api.post(f"/deployments/{made['id']}/create_flow_run/bulk", [{}, {}])
    assert [each["status"] for each in results["results"]] == ["CREATED", "CREATED"]


async def test_what_a_variable_holds_is_held_against_the_schema(api: Api) -> None:
    await keep(api, "good", 7)
    await keep(api, "bad", "seven")
    made = await api.deployment(parameter_openapi_schema=NUMBER, enforce_parameter_schema=True)
    path = f"/deployments/{made['id']}/create_flow_run"
    assert (await api.run(made["id"], parameters={"n": variable("good")}))["parameters"] == {"n": 7}
    refused = await api.post(path, {"parameters": {"n": variable("bad")}}, status=409)
    assert "'seven' is not of type 'integer'" in refused["detail"]


async def test_a_variable_that_is_not_there_stops_the_run_and_the_change(api: Api) -> None:
    made = await api.deployment()
    path = f"/deployments/{made['id']}"
    body = {"parameters": {"a": [variable("gone")]}}
    refused = await api.post(f"{path}/create_flow_run", body, status=400)
    assert refused["detail"] == f"Error creating flow run: {UNHAD}"
    refused = await api.patch(path, body, status=400)
    assert refused["detail"] == f"Error updating deployment: {UNHAD}"
    (failed,) = (await api.post(f"{path}/create_flow_run/bulk", [body]))["results"]
    assert (failed["status"], failed["error"]) == ("FAILED", f"Error creating flow run: {UNHAD}")
    assert await api.runs() == []


async def test_a_changed_deployment_keeps_what_variables_held_then(api: Api) -> None:
    await keep(api, "region", "eu")
    made = await api.deployment()
    path = f"/deployments/{made['id']}"
    await api.patch(path, {"parameters": {"where": variable("region")}})
    await api.patch("/variables/name/region", {"value": "us"})
    assert (await api.get(path))["parameters"] == {"where": "eu"}


async def test_the_input_of_a_paused_run_may_stand_for_variables(api: Api) -> None:
    await keep(api, "answer", 42)
    run = await api.post("/flow_runs/", {"flow_id": await api.flow()}, status=201)
    path = f"/flow_runs/{run['id']}"
    schema = {"key": "schema", "value": msgspec.json.encode(NUMBER).decode()}
    await api.post(f"{path}/input", schema, status=201)
    keyset = {"schema": "schema", "response": "response"}
    details = {"run_input_keyset": keyset, "pause_timeout": "2026-01-02T00:00:00Z"}
    for kind in ("RUNNING", "PAUSED"):
        await api.set_state(run["id"], kind, state_details=details)
    body = {"run_input": {"n": variable("gone")}}
    refused = await api.post(f"{path}/resume", body, status=200)
    assert (refused["status"], UNHAD in refused["details"]["reason"]) == ("REJECT", True)
    await api.post(f"{path}/resume", {"run_input": {"n": variable("answer")}}, status=201)
    kept = await api.client.get(f"/api{path}/input/response")
    assert kept.json() == {"n": 42}


async def test_variables_of_another_workspace_are_not_there(api: Api, core: Core) -> None:
    await add_other_workspace(core)
    other = Api(api.client, OTHER_PREFIX)
    await keep(other, "gone", "theirs")
    made = await api.deployment()
    body = {"parameters": {"a": variable("gone")}}
    await api.post(f"/deployments/{made['id']}/create_flow_run", body, status=400)
    theirs = await other.deployment()
    run = await other.run(theirs["id"], **body)
    assert run["parameters"] == {"a": "theirs"}


@pytest.mark.parametrize("name", ["UPPER", "a/b", "\u0000", "\ud800", "x" * 3000, "", 7, None, []])
async def test_what_is_no_name_of_a_variable_is_not_there(api: Api, name: object) -> None:
    made = await api.deployment()
    text = msgspec.json.encode(name) if name != "\ud800" else b'"\\ud800"'
    asked = {"__prefect_kind": "json", "value": text.decode()}
    body = {"parameters": {"a": variable(asked)}}
    refused = await api.post(f"/deployments/{made['id']}/create_flow_run", body, status=400)
    assert "not found in workspace" in refused["detail"]


async def fixed(reader: Reader, names: Collection[str]) -> dict[str, msgspec.Raw]:
    """A chain of variables: the value of each is the name of the next."""
    del reader
    return {name: msgspec.Raw(b'"%s"' % name.encode()[1:]) for name in names if len(name) > 1}


async def hydrated(core: Core, value: object) -> Any:
    variables = Variables([VariableSource("fixed", fixed)])
    raw = msgspec.Raw(msgspec.json.encode(value))
    found = await variables.hydrate(core.database.read(1), {"a": raw})
    return msgspec.json.decode(found["a"])


def chained(name: str, depth: int) -> object:
    return variable(chained(name, depth - 1)) if depth else name


async def test_names_are_found_a_few_variables_deep_and_no_deeper(core: Core) -> None:
    assert await hydrated(core, chained("x" * 9, 5)) == "x" * 4
    with pytest.raises(HydrationError, match="more than 10 deep"):
        await hydrated(core, chained("x" * 90, 50))


@pytest.fixture
def core_flags(request: pytest.FixtureRequest) -> dict[str, object]:
    return {"plugins.disable": getattr(request, "param", ("ui",))}


@pytest.mark.parametrize("core_flags", [("ui", "variables")], indirect=True)
async def test_without_the_plugin_the_refusal_says_what_is_missing(
    core: Core, client: httpx.AsyncClient
) -> None:
    api = Api(client)
    made = await api.deployment()
    body = {"parameters": {"a": variable("gone")}}
    refused = await api.post(f"/deployments/{made['id']}/create_flow_run", body, status=400)
    assert refused["detail"] == (
        f"Error creating flow run: {UNHAD} Nothing here keeps variables: the plugin variables is"
        " disabled."
    )
    assert core.collect("register_variable_sources") == []
    await api.get("/variables/name/gone", status=404)


async def test_a_process_without_the_routes_of_variables_reads_them(api: Api, core: Core) -> None:
    await keep(api, "region", "eu")
    made = await api.deployment(parameters={"a": variable("region")})
    targeted = Core.create(
        msgspec.structs.replace(core.settings, targets=("server",)),
        found=core.plugins.found,
        clock=core.clock,
    )
    await targeted.open()
    try:
        transport = httpx.ASGITransport(app=app_of(targeted))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4200") as it:
            alone = Api(it)
            await alone.get("/variables/name/region", status=404)
            assert (await alone.run(made["id"]))["parameters"] == {"a": "eu"}
    finally:
        await targeted.close()
