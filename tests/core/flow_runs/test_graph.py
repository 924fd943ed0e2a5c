"""The graph of a flow run: nodes, edges, what is left out."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest

from armillary.api import Answer
from armillary.flow_runs.graph import GraphRows, Node, connected
from armillary.flow_runs.graph_reading import KnownGraphs


def task(name: str, *, start: int | None, end: int | None = None, **inputs: Any) -> list[Any]:
    text = msgspec.json.encode(
        {
            key: [{"input_type": "task_run", "id": each} for each in value]
            for key, value in inputs.items()
        }
    ).decode()
    return [name, name, "RUNNING", start, start, end, text]


def subflow(of_task: str, run: str, *, start: int) -> list[Any]:
    return [of_task, run, "gentle-fox", "etl", "COMPLETED", start, start, None]


def nodes(
    *tasks: list[Any], subflows: Sequence[list[Any]] = (), since: int | None = None
) -> dict[str, Node]:
    return {node.id: node for node in connected(tasks, subflows, since=since)}


def test_an_argument_used_twice_is_one_edge() -> None:
    found = nodes(task("a", start=1), task("b", start=2, x=["a"], y=["a"]))
    assert [edge.id for edge in found["b"].parents] == ["a"]
    assert [edge.id for edge in found["a"].children] == ["b"]


def test_what_surrounds_a_task_is_not_its_parent() -> None:
    found = nodes(task("outer", start=1), task("inner", start=2, __parents__=["outer"]))
    assert found["inner"].parents == []
    assert [edge.id for edge in found["inner"].encapsulating] == ["outer"]


def test_a_subflow_stands_in_place_of_its_task_run() -> None:
    found = nodes(
        task("t", start=0), task("b", start=2, x=["t"]), subflows=[subflow("t", "r", start=1)]
    )
    assert found["r"].kind == "flow-run"
    assert found["r"].label == "etl / gentle-fox"
    assert found["r"].end_time == found["r"].start_time
    assert [edge.id for edge in found["b"].parents] == ["r"]


def test_a_task_run_that_began_two_runs_has_a_node_for_each() -> None:
    both = [subflow("t", "r", start=1), subflow("t", "s", start=2)]
    found = nodes(task("t", start=0, x=["a"]), task("a", start=0), subflows=both)
    assert list(found) == ["a", "r", "s"]
    assert [edge.id for edge in found["a"].children] == ["r", "s"]


def test_what_was_never_to_begin_has_no_node() -> None:
    assert nodes(task("a", start=None), task("b", start=1, x=["a"]))["b"].parents == []


def test_nodes_come_by_start_and_then_end_those_that_run_last() -> None:
    found = nodes(
        task("c", start=2, end=3), task("b", start=1), task("a", start=1, end=9), task("d", start=2)
    )
    assert list(found) == ["a", "b", "c", "d"]


def test_what_ended_before_since_is_left_out_with_its_edges() -> None:
    found = nodes(task("a", start=1, end=2), task("b", start=2, x=["a"]), since=3)
    assert list(found) == ["b"]
    assert found["b"].parents == []


@pytest.mark.parametrize("path", ["graph-v2", "graph-v2?since=2026-01-01T00:00:00+00:00"])
async def test_a_graph_has_every_member_the_run_its_states_and_roots(
    client: Any, path: str
) -> None:
    flow = (await client.post("/api/flows/", json={"name": "etl"})).json()
    body = {"flow_id": flow["id"], "state": {"type": "RUNNING"}}
    run = (await client.post("/api/flow_runs/", json=body)).json()
    made = await client.post(
        "/api/task_runs/",
        json={
            "flow_run_id": run["id"], "task_key": "t", "dynamic_key": "0", "name": "load-0",
            "state": {"type": "RUNNING"},
            "task_inputs": {"x": [{"input_type": "parameter", "name": "p"}]},
        },
    )  # fmt: skip
    task_id = made.json()["id"]
    graph = (await client.get(f"/api/flow_runs/{run['id']}/{path}")).json()
    assert graph["start_time"] == run["start_time"]
    assert graph["root_node_ids"] == [task_id]
    assert [(key, node["label"], node["kind"]) for key, node in graph["nodes"]] == [
        (task_id, "load-0", "task-run")
    ]
    assert [state["name"] for state in graph["states"]] == ["Running"]
    assert graph["artifacts"] == []
    (dependency,) = (await client.get(f"/api/flow_runs/{run['id']}/graph")).json()
    assert dependency["upstream_dependencies"] == []
    assert dependency["state"]["type"] == "RUNNING"


async def test_the_graph_of_no_run_is_404_and_a_bad_since_is_422(client: Any) -> None:
    missing = await client.get(f"/api/flow_runs/{UUID(int=1)}/graph-v2")
    assert missing.status_code == 404
    assert "not found" in missing.json()["exception_message"]
    bad = await client.get(f"/api/flow_runs/{UUID(int=1)}/graph-v2?since=yesterday")
    assert bad.status_code == 422


def read_of(count: int, *, name: str = "t") -> GraphRows:
    tasks = [(f"{name}{n}", "t", "RUNNING", 1, 1, None, "{}") for n in range(count)]
    return GraphRows(run=(1, 1, None), tasks=tasks, subflows=[], states=[], placed=[])


def test_a_large_graph_is_drawn_again_only_when_something_has_changed() -> None:
    drawn: list[int] = []
    known = KnownGraphs()

    def ask(rows: GraphRows, *, run: str = "r", since: int | None = None) -> int:
        def draw() -> Answer:
            drawn.append(len(rows.tasks))
            return Answer.json(len(drawn))

        return int(known.answer(run, since, rows, draw).body)

    assert [ask(read_of(600)), ask(read_of(600))] == [1, 1]
    assert ask(read_of(600, name="other")) == 2
    assert ask(read_of(600)) == 3
    assert ask(read_of(600), since=1) == 4
    assert [ask(read_of(2), run="s"), ask(read_of(2), run="s")] == [5, 6]
    for run in "ab":
        ask(read_of(9_700), run=run)
    assert ask(read_of(600)) == 9
