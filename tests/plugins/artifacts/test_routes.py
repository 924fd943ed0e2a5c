"""Artifacts over HTTP: made, found, changed and deleted, and the latest of each key.

What is made by `register_graph_artifacts` is seen in the graph of a run.
"""

from typing import Any

import httpx
import pytest

from armillary.core import Core
from armillary.testing import ManualClock
from tests.api import NOBODY, Api, events, names_of_events

FOUND: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "abcd"),
    ({"artifacts": {"id": {"any_": []}}}, ""),
    ({"artifacts": {"id": {"any_": ["$a"]}}}, "a"),
    ({"artifacts": {"key": {"any_": ["k-1"]}}}, "ab"),
    ({"artifacts": {"key": {"like_": "K-"}}}, "abc"),
    ({"artifacts": {"key": {"exists_": False}}}, "d"),
    ({"artifacts": {"key": {"exists_": True}}}, "abc"),
    ({"artifacts": {"flow_run_id": {"any_": ["$run"]}}}, "ac"),
    ({"artifacts": {"task_run_id": {"any_": ["$task"]}}}, "c"),
    ({"artifacts": {"type": {"any_": ["table"]}}}, "b"),
    ({"artifacts": {"type": {"not_any_": ["table"]}}}, "acd"),
    ({"artifacts": {"operator": "or_", "key": {"exists_": False},
                    "type": {"any_": ["table"]}}}, "bd"),
    ({"flow_runs": {"id": {"any_": ["$run"]}}}, "ac"),
    ({"flow_runs": {"tags": {"all_": ["t"]}}}, "ac"),
    ({"flow_runs": {"deployment_id": {"any_": ["$deployment"]}}}, "b"),
    ({"task_runs": {"id": {"any_": ["$task"]}}}, "c"),
    ({"task_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}, "c"),
    ({"flows": {"name": {"any_": ["etl"]}}}, "ac"),
    ({"flows": {"name": {"like_": "t"}}}, "abc"),
    ({"deployments": {"id": {"any_": ["$deployment"]}}}, "b"),
    ({"deployments": {"tags": {"any_": ["none"]}}}, ""),
    ({"deployments": {"name": {"like_": "night"}}}, "b"),
    ({"artifacts": {"type": {"any_": ["markdown"]}}, "flows": {"name": {"any_": ["etl"]}}},
     "ac"),
)  # fmt: skip
"""What is asked, and which of the few artifacts that finds."""


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    return Api(client)


async def make(api: Api, key: str | None = None, **more: Any) -> dict[str, Any]:
    body = {"type": "markdown", "data": "text", **more}
    made: dict[str, Any] = await api.post(
        "/artifacts/", body if key is None else {"key": key, **body}, status=201
    )
    return made


async def a_run(api: Api, flow: str | None = None, **more: Any) -> str:
    """The id of a running flow run."""
    body = {"flow_id": flow or await api.flow(), "state": {"type": "RUNNING"}, **more}
    run: dict[str, Any] = await api.post("/flow_runs/", body, status=201)
    return str(run["id"])


async def a_task(api: Api, run: str, key: str = "0") -> str:
    """The id of a task run of a flow run."""
    body = {"flow_run_id": run, "task_key": "t", "dynamic_key": key, "state": {"type": "RUNNING"}}
    task: dict[str, Any] = await api.post("/task_runs/", body, status=201)
    return str(task["id"])


async def latest(api: Api, **more: Any) -> list[tuple[str, str]]:
    found = await api.post("/artifacts/latest/filter", {"sort": "KEY_ASC", **more})
    return [(each["key"], each["latest_id"]) for each in found]


async def test_an_artifact_is_answered_as_it_was_made(api: Api, clock: ManualClock) -> None:
    body = {
        "key": "report-1", "type": "table", "description": "# why", "data": [{"a": 2**70}],
        "metadata_": {"short": "x", "long": "y" * 501}, "flow_run_id": NOBODY,
        "task_run_id": NOBODY,
    }  # fmt: skip
    made = await api.post("/artifacts/", body, status=201)
    assert {name: made[name] for name in body if name != "metadata_"} == {
        name: value for name, value in body.items() if name != "metadata_"
    }
    assert made["metadata_"] == {"short": "x", "long": "y" * 500 + "..."}
    assert made["created"] == made["updated"] == clock.now().isoformat().replace("+00:00", "Z")
    assert await api.get(f"/artifacts/{made['id']}") == made
    (listed,) = await api.post("/artifacts/filter")
    assert listed == made


async def test_an_artifact_needs_nothing(api: Api) -> None:
    made = await api.post("/artifacts/", {"strange": 1, "key": None, "data": None}, status=201)
    given = {name: value for name, value in made.items() if value is not None}
    assert given.keys() == {"id", "created", "updated"}
    assert await api.post("/artifacts/latest/filter") == []


@pytest.mark.parametrize(
    "body",
    [
        {"key": "Report"},
        {"key": "a_b"},
        {"key": "a" * 1001},
        {"type": "t" * 1001},
        {"metadata_": {"a": 1}},
        {"metadata_": {"a": None}},
        {"flow_run_id": "none"},
        {"data": "\x00"},
    ],
)
async def test_what_is_no_artifact_is_refused(api: Api, body: dict[str, Any]) -> None:
    await api.post("/artifacts/", body, status=422)
    assert await api.post("/artifacts/count") == 0


async def test_the_latest_of_a_key_has_the_id_and_times_of_its_collection(
    api: Api, clock: ManualClock
) -> None:
    first = await make(api, "report", data=1)
    (collection,) = await api.post("/artifacts/latest/filter")
    await clock.advance(5)
    second = await make(api, "report", data=2)
    shown = await api.get("/artifacts/report/latest")
    assert shown["id"] == collection["id"] not in {first["id"], second["id"]}
    assert (shown["created"], shown["updated"]) == (first["created"], second["created"])
    assert (shown["data"], "latest_id" in shown) == (2, False)
    (collection,) = await api.post("/artifacts/latest/filter")
    assert collection == {**shown, "latest_id": second["id"]}
    await api.get("/artifacts/other/latest", status=404)


async def test_a_change_changes_what_is_given(api: Api, clock: ManualClock) -> None:
    old = await make(api, "p", data=1.5, description="d", metadata_={"a": "b"})
    await clock.advance(1)
    path = f"/artifacts/{old['id']}"
    await api.patch(path, {"data": 50})
    new = await api.get(path)
    changed = {name for name in old if old[name] != new[name]}
    assert (changed, new["data"]) == ({"data", "updated"}, 50)
    shown = await api.get("/artifacts/p/latest")
    assert (shown["data"], shown["updated"]) == (50, new["updated"])
    await api.patch(path, {"data": None, "description": None, "metadata_": None})
    new = await api.get(path)
    assert [new[name] for name in ("data", "description", "metadata_")] == [None, None, None]
    await api.patch(f"/artifacts/{NOBODY}", {"data": 1}, status=404)


async def test_deleting_the_latest_lets_the_one_before_be_it(api: Api, clock: ManualClock) -> None:
    first = await make(api, "k", data=1)
    await clock.advance(1)
    second = await make(api, "k", data=2)
    third = await make(api, "k", data=3)
    await api.delete(f"/artifacts/{second['id']}")
    assert await latest(api) == [("k", third["id"])]
    await api.delete(f"/artifacts/{third['id']}")
    assert await latest(api) == [("k", first["id"])]
    shown = await api.get("/artifacts/k/latest")
    assert (shown["data"], shown["updated"]) == (1, first["updated"])
    await api.delete(f"/artifacts/{first['id']}")
    assert await latest(api) == []
    await api.get("/artifacts/k/latest", status=404)
    await api.delete(f"/artifacts/{first['id']}", status=404)


async def test_collections_say_what_happens_to_them(api: Api, core: Core) -> None:
    run = await a_run(api)
    since = len(await events(core))
    first = await make(api, "k", flow_run_id=run, data={"a": 1}, description="d")
    second = await make(api, "k", data="x" * 200_000)
    await make(api)
    await api.patch(f"/artifacts/{second['id']}", {"data": 1})
    await api.delete(f"/artifacts/{second['id']}")
    await api.delete(f"/artifacts/{first['id']}")
    kind = "artifact-collection"
    assert await names_of_events(core, since=since) == [
        f"{kind}.created", f"{kind}.updated", f"{kind}.updated", f"{kind}.deleted",
    ]  # fmt: skip
    made, other, *_ = (await events(core))[since:]
    assert made["resource"]["prefect.resource.name"] == "k"
    assert made["payload"] == {
        "key": "k", "type": "markdown", "data": {"a": 1}, "description": "d",
    }  # fmt: skip
    assert made["related"] == [
        {"prefect.resource.id": f"prefect.artifact.{first['id']}",
         "prefect.resource.role": "latest"},
        {"prefect.resource.id": f"prefect.flow-run.{run}", "prefect.resource.role": "flow-run"},
    ]  # fmt: skip
    assert other["payload"]["data"] is None


async def test_a_filter_finds_what_it_names(api: Api) -> None:
    known = await a_few(api)
    by_id = {known[name]: name for name in "abcd"}
    for asked, names in FOUND:
        wanted = filled(asked, known)
        for sort in ("ID_DESC", "KEY_ASC", "UPDATED_DESC"):
            found = await api.post("/artifacts/filter", {**wanted, "sort": sort})
            assert "".join(sorted(by_id[each["id"]] for each in found)) == names, asked
        assert await api.post("/artifacts/count", wanted) == len(names), asked
        properties = wanted.get("artifacts", {})
        if "id" in properties:
            wanted = {"artifacts": {"latest_id": properties["id"]}}
        found = await api.post("/artifacts/latest/filter", {**wanted, "sort": "CREATED_DESC"})
        newest = sorted(set(names) & set("bc"))
        assert sorted(by_id[each["latest_id"]] for each in found) == newest, asked
        assert await api.post("/artifacts/latest/count", wanted) == len(newest), asked


async def a_few(api: Api) -> dict[str, str]:
    """Four artifacts: ``a`` and ``b`` of a key, ``c`` of another in a task, ``d`` of none."""
    run = await a_run(api, tags=["t"])
    task = await a_task(api, run)
    deployment = await api.deployment(await api.flow("other"))
    other = (await api.run(deployment["id"]))["id"]
    made = {
        "a": await make(api, "k-1", flow_run_id=run),
        "b": await make(api, "k-1", flow_run_id=other, type="table"),
        "c": await make(api, "k-2", flow_run_id=run, task_run_id=task),
        "d": await make(api),
    }
    ids = {name: each["id"] for name, each in made.items()}
    return {**ids, "run": run, "task": task, "deployment": deployment["id"]}


def filled(asked: Any, known: dict[str, str]) -> Any:
    if isinstance(asked, dict):
        return {name: filled(value, known) for name, value in asked.items()}
    if isinstance(asked, list):
        return [filled(value, known) for value in asked]
    return known[asked[1:]] if isinstance(asked, str) and asked.startswith("$") else asked


async def test_lists_come_in_order_and_in_parts(api: Api, clock: ManualClock) -> None:
    made = []
    for key in ("b", "c", "a"):
        made.append((await make(api, key))["id"])
        await clock.advance(1)
    await api.patch(f"/artifacts/{made[0]}", {"data": 2})
    orders = {
        "ID_DESC": "acb", "CREATED_DESC": "acb", "UPDATED_DESC": "bac", "KEY_DESC": "cba",
        "KEY_ASC": "abc",
    }  # fmt: skip
    for path in ("/artifacts/filter", "/artifacts/latest/filter"):
        for sort, keys in orders.items():
            found = await api.post(path, {"sort": sort})
            assert "".join(each["key"] for each in found) == keys, (path, sort)
        (one,) = await api.post(path, {"sort": "KEY_ASC", "limit": 1, "offset": 1})
        assert one["key"] == "b"
        await api.post(path, {"limit": 201}, status=422)
        await api.post(path, {"offset": -1}, status=422)
        await api.post(path, {"sort": "NAME_ASC"}, status=422)
        assert await api.post(path, {"limit": 0}) == []


async def test_a_run_takes_its_artifacts_with_it(api: Api, core: Core) -> None:
    flow = await api.flow()
    run, other = await a_run(api, flow), await a_run(api, flow)
    task = await a_task(api, run)
    kept = await make(api, "k", flow_run_id=other)
    await make(api, "k", flow_run_id=run)
    await make(api, "only", flow_run_id=run, task_run_id=task)
    alone = await make(api, task_run_id=task)
    since = len(await events(core))
    await api.delete(f"/task_runs/{task}")
    await api.get(f"/artifacts/{alone['id']}", status=404)
    await api.delete(f"/flow_runs/{run}")
    assert [each["id"] for each in await api.post("/artifacts/filter")] == [kept["id"]]
    assert await latest(api) == [("k", kept["id"])]
    assert await core.deletions.family.orphans(core.database.read(None)) == {}
    told = [each for each in await names_of_events(core, since=since) if "artifact" in each]
    assert sorted(told) == ["artifact-collection.deleted", "artifact-collection.updated"]


async def test_the_graph_shows_the_artifacts_of_the_run_and_of_its_tasks(
    api: Api, clock: ManualClock
) -> None:
    run = await a_run(api)
    task = await a_task(api, run)
    of_run = {"flow_run_id": run}
    old = await make(api, "k", **of_run)
    await clock.advance(1)
    await make(api, type="result", **of_run)
    await make(api, type=None, **of_run)
    new = await make(api, "k", **of_run)
    progress = await make(api, type="progress", data=12.5, task_run_id=task, **of_run)
    await make(api, task_run_id=NOBODY, **of_run)
    await make(api, flow_run_id=await a_run(api, await api.flow("other")))
    graph = await api.get(f"/flow_runs/{run}/graph-v2")
    assert graph["artifacts"] == [
        {"id": each["id"], "created": each["created"], "key": "k", "type": "markdown",
         "is_latest": each is new, "data": None}
        for each in (old, new)
    ]  # fmt: skip
    ((_, node),) = graph["nodes"]
    (shown,) = node["artifacts"]
    assert (shown["id"], shown["data"], shown["is_latest"]) == (progress["id"], 12.5, True)
