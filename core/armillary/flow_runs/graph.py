"""A flow run as a graph: task runs and subflow runs are nodes, what waits for what are edges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec

from armillary.clock import from_micros, maybe_moment
from armillary.db.unit import Reader, Row
from armillary.flow_runs.reading import estimated_run_time
from armillary.orchestration.wire import WireState, wire_from_row

MAX_NODES = 10_000
_DEPENDENCIES = """
select t.id, t.name, t.expected_start_time, t.start_time, t.end_time, t.total_run_time,
  t.state_type, t.state_timestamp, t.task_inputs,
  s.id, s.type, s.name, s.timestamp, s.message, s.data, s.details
from task_run t left join task_run_state s on s.id = t.state_id
where t.flow_run_id = ? and {no_index}t.workspace = ? order by t.expected_start_time, t.id limit ?
"""
_PARENTS = "__parents__"


class Edge(msgspec.Struct, frozen=True, gc=False):
    """The other end of an edge.  None of what a graph is made of leads back to itself."""

    id: str


class GraphArtifact(msgspec.Struct, frozen=True, kw_only=True):
    """What a graph tells of an artifact; its data only where that is its progress."""

    id: str
    created: datetime
    key: str | None
    type: str | None
    is_latest: bool
    data: msgspec.Raw


class Placed(msgspec.Struct, frozen=True):
    """An artifact and the task run it was made in; None where that was the flow run itself."""

    task_run_id: str | None
    artifact: GraphArtifact


ArtifactsOfRun: TypeAlias = Callable[[Reader, str, int], Awaitable[Sequence[Placed]]]
"""Lists the artifacts of a flow run, oldest first, so many at most."""


class Node(msgspec.Struct, gc=False):
    """A task run or a subflow run."""

    kind: str
    id: str
    label: str
    state_type: str
    start_time: datetime
    end_time: datetime | None
    parents: list[Edge]
    children: list[Edge]
    encapsulating: Sequence[Edge] = ()
    artifacts: Sequence[GraphArtifact] = ()


class GraphState(msgspec.Struct, frozen=True):
    """A state in the run's history."""

    id: str
    timestamp: datetime
    type: str
    name: str


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """A flow run's graph."""

    start_time: datetime | None
    end_time: datetime | None
    root_node_ids: list[str]
    nodes: list[tuple[str, Node]]
    artifacts: list[GraphArtifact]
    states: list[GraphState]


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """A task run with those it waited for."""

    id: str
    name: str
    upstream_dependencies: list[dict[str, str]]
    state: WireState | None
    expected_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    total_run_time: float
    estimated_run_time: float
    untrackable_result: bool


class _Input(msgspec.Struct, gc=False):
    input_type: str = ""
    id: str | None = None


_inputs = msgspec.json.Decoder(dict[str, list[_Input]]).decode


class GraphRows(msgspec.Struct, frozen=True, kw_only=True):
    """All that a graph is made of: rows of the run, its task runs, their subflow runs, states."""

    run: Row
    tasks: Sequence[Row]
    subflows: Sequence[Row]
    states: Sequence[Row]
    placed: Sequence[Placed]


def graph_of(rows: GraphRows, *, since: int | None) -> Graph:
    """Draw a run's graph, without nodes that ended before ``since``."""
    nodes = connected(rows.tasks, rows.subflows, since=since)
    started, expected, ended = rows.run
    return Graph(
        start_time=maybe_moment(expected if started is None else started),
        end_time=maybe_moment(ended),
        root_node_ids=[node.id for node in nodes if not node.parents],
        nodes=[(node.id, node) for node in nodes],
        artifacts=_handed_on(rows.placed, nodes),
        states=[GraphState(row[0], from_micros(row[1]), row[2], row[3]) for row in rows.states],
    )


def _handed_on(placed: Sequence[Placed], nodes: Sequence[Node]) -> list[GraphArtifact]:
    """Hand artifacts to the nodes they were made in, and return those of the run itself."""
    of_node: dict[str | None, list[GraphArtifact]] = {}
    for each in placed:
        of_node.setdefault(each.task_run_id, []).append(each.artifact)
    by_id = {node.id: node for node in nodes}
    for node_id in by_id.keys() & of_node:
        by_id[node_id].artifacts = of_node[node_id]
    return of_node.get(None, [])


def connected(tasks: Sequence[Row], subflows: Sequence[Row], *, since: int | None) -> list[Node]:
    """Make the nodes, in order of start and end, and draw the edges between them.

    An edge to the task run that stands for a subflow leads to the subflow's node.  What never
    began, nor was expected to, has no place among them.
    """
    runs: dict[str, list[Row]] = {}
    for row in subflows:
        runs.setdefault(row[0], []).append(row)
    begun = [
        (start, end is None, end or 0, task[0], task, run)
        for task in tasks
        for run in runs.get(task[0], _ITSELF)
        for start, end in (_span(task, run),)
        if start is not None and (since is None or end is None or end >= since)
    ]
    begun.sort()  # by start, what still runs last, end, id; no two get further than that
    nodes: dict[str, Node] = {}
    edges: dict[str, Edge] = {}
    for start, unended, end, _, task, run in begun:
        node = _node(task, run, start, None if unended else end)
        nodes[node.id] = node
        edges[task[0]] = edges[node.id] = Edge(node.id)
    for _, _, _, task_id, task, run in begun:
        if task[6] != "{}":
            _connect(nodes[run[1] if run else task_id], _inputs(task[6]), nodes, edges)
    return list(nodes.values())


_ITSELF: tuple[Row, ...] = ((),)
"""A task run that stands for no subflow."""


def _connect(
    node: Node,
    inputs: Mapping[str, list[_Input]],
    nodes: Mapping[str, Node],
    edges: Mapping[str, Edge],
) -> None:
    if _PARENTS in inputs:
        around = dict.fromkeys(each.id for each in inputs[_PARENTS])
        node.encapsulating = [edges.get(each) or Edge(each) for each in around if each is not None]
    seen = {None, node.id}
    for key, values in inputs.items():
        if key == _PARENTS:
            continue
        for each in values:
            edge = edges.get(each.id) if each.id is not None else None
            if edge is not None and edge.id not in seen:
                seen.add(edge.id)
                node.parents.append(edge)
                nodes[edge.id].children.append(edges[node.id])


def _node(task: Row, run: Row, start: int, end: int | None) -> Node:
    starts, ends = from_micros(start), maybe_moment(end)
    if run:
        label = f"{run[3]} / {run[2]}"
        return Node("flow-run", run[1], label, run[4] or task[2], starts, ends, [], [])
    return Node("task-run", task[0], task[1], task[2], starts, ends, [], [])


def _span(task: Row, run: Row) -> tuple[int | None, int | None]:
    """The start and the end; COMPLETED without one, it ended when it was expected to start.

    What a subflow run does not say, the task run that stands for it does.
    """
    started, expected, ended, state_type = task[3], task[4], task[5], task[2]
    if run:
        started = next((each for each in (*run[5:7], *task[3:5]) if each is not None), None)
        expected = run[6] if run[6] is not None else expected
        ended = run[7] if run[7] is not None else ended
        state_type = run[4] or state_type
    if ended is None and state_type == "COMPLETED":
        ended = expected
    return (started if started is not None else expected), ended


async def read_dependencies(reader: Reader, run_id: str, *, now: int) -> list[Dependency]:
    """List a run's task runs, each with the task runs among its inputs."""
    rows = await reader.all(_DEPENDENCIES, run_id, reader.workspace, MAX_NODES)
    return [_dependency(row, now) for row in rows]


def _dependency(row: Row, now: int) -> Dependency:
    state = wire_from_row(row[9:16])
    upstream = dict.fromkeys(
        each.id
        for values in _inputs(row[8]).values()
        for each in values
        if each.input_type == "task_run" and each.id is not None
    )
    return Dependency(
        id=row[0],
        name=row[1],
        upstream_dependencies=[{"input_type": "task_run", "id": each} for each in upstream],
        state=state,
        expected_start_time=maybe_moment(row[2]),
        start_time=maybe_moment(row[3]),
        end_time=maybe_moment(row[4]),
        total_run_time=row[5],
        estimated_run_time=estimated_run_time(row[5], row[6], row[7], now=now),
        untrackable_result=bool(state is not None and state.state_details.untrackable_result),
    )
