"""A flow run as a graph: task runs and subflow runs are nodes, what waits for what are edges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec

from armillary.clock import from_micros, maybe_moment
from armillary.db.unit import Reader, Row
from armillary.errors import Refused
from armillary.flow_runs.reading import estimated_run_time
from armillary.orchestration.wire import WireState, wire_from_row

MAX_NODES = 10_000
MAX_ARTIFACTS = 10_000
_RUN = """
select start_time, expected_start_time, end_time from flow_run where id = ? and workspace = ?
"""
_TASKS = """
select t.id, t.name, t.state_type, t.start_time, t.expected_start_time, t.end_time, t.task_inputs,
  r.id, r.name, f.name, r.state_type, r.start_time, r.expected_start_time, r.end_time
from task_run t
  left join flow_run r on r.parent_task_run_id = t.id and {no_index}r.workspace = t.workspace
  left join flow f on f.id = r.flow_id
where t.flow_run_id = ? and {no_index}t.workspace = ? and t.state_type is not null
order by t.id, r.id limit ?
"""
_STATES = """
select id, timestamp, type, name from flow_run_state where flow_run_id = ? order by timestamp
"""
_DEPENDENCIES = """
select t.id, t.name, t.expected_start_time, t.start_time, t.end_time, t.total_run_time,
  t.state_type, t.state_timestamp, t.task_inputs,
  s.id, s.type, s.name, s.timestamp, s.message, s.data, s.details
from task_run t left join task_run_state s on s.id = t.state_id
where t.flow_run_id = ? and {no_index}t.workspace = ? order by t.expected_start_time, t.id limit ?
"""
_PARENTS = "__parents__"


class Edge(msgspec.Struct, frozen=True):
    """The other end of an edge."""

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


class Node(msgspec.Struct, kw_only=True):
    """A task run or a subflow run."""

    kind: str
    id: str
    label: str
    state_type: str
    start_time: datetime
    end_time: datetime | None
    parents: list[Edge]
    children: list[Edge]
    encapsulating: list[Edge]
    artifacts: list[GraphArtifact]


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


class _Input(msgspec.Struct):
    input_type: str = ""
    id: str | None = None


_inputs = msgspec.json.Decoder(dict[str, list[_Input]]).decode


async def read_graph(
    reader: Reader, run_id: str, *, since: int | None, sources: Sequence[ArtifactsOfRun] = ()
) -> Graph | None:
    """Read a run's graph, without nodes that ended before ``since``; None without the run.

    Artifacts come from the ``sources``.

    Refused (400) if it has more nodes than anybody can look at.
    """
    run = await reader.one(_RUN, run_id, reader.workspace)
    if run is None:
        return None
    rows = await reader.all(_TASKS, run_id, reader.workspace, MAX_NODES + 1)
    if len(rows) > MAX_NODES:
        raise Refused(400, f"The graph of flow run {run_id} has more than {MAX_NODES} nodes.")
    nodes = connected([row for row in rows if _start(row) is not None], since=since)
    states = await reader.all(_STATES, run_id)
    return Graph(
        start_time=maybe_moment(run[0] if run[0] is not None else run[1]),
        end_time=maybe_moment(run[2]),
        root_node_ids=[node.id for node in nodes if not node.parents],
        nodes=[(node.id, node) for node in nodes],
        artifacts=await _placed(reader, run_id, sources, nodes),
        states=[GraphState(row[0], from_micros(row[1]), row[2], row[3]) for row in states],
    )


async def _placed(
    reader: Reader, run_id: str, sources: Sequence[ArtifactsOfRun], nodes: Sequence[Node]
) -> list[GraphArtifact]:
    """Hand artifacts to the nodes they were made in, and return those of the run itself."""
    by_id = {node.id: node for node in nodes}
    own: list[GraphArtifact] = []
    for source in sources:
        for placed in await source(reader, run_id, MAX_ARTIFACTS):
            if placed.task_run_id is None:
                own.append(placed.artifact)
            elif placed.task_run_id in by_id:
                by_id[placed.task_run_id].artifacts.append(placed.artifact)
    return own


def connected(rows: Sequence[Row], *, since: int | None) -> list[Node]:
    """Make the nodes, in order of start and end, and draw the edges between them.

    An edge to the task run that stands for a subflow leads to the subflow's node.
    """
    ordered = sorted(
        ((_start(row) or 0, _end(row), row) for row in rows),
        key=lambda entry: (entry[0], entry[1] is None, entry[1] or 0, entry[2][0]),
    )
    nodes: dict[str, Node] = {}
    stands_for: dict[str, str] = {}
    inputs: dict[str, Mapping[str, list[_Input]]] = {}
    for start, end, row in ordered:
        if since is not None and end is not None and end < since:
            continue
        node = _node(row, start, end)
        nodes[node.id] = node
        stands_for[row[0]] = node.id
        inputs[node.id] = _inputs(row[6])
    for node in nodes.values():
        _connect(node, inputs[node.id], nodes, stands_for)
    return list(nodes.values())


def _connect(
    node: Node,
    inputs: Mapping[str, list[_Input]],
    nodes: Mapping[str, Node],
    stands_for: Mapping[str, str],
) -> None:
    around = _upstream(inputs.get(_PARENTS, ()))
    node.encapsulating = [Edge(stands_for.get(each, each)) for each in around]
    named = (each for key, values in inputs.items() if key != _PARENTS for each in values)
    for upstream in dict.fromkeys(stands_for.get(each, each) for each in _upstream(named)):
        parent = nodes.get(upstream)
        if parent is not None and parent is not node:
            node.parents.append(Edge(parent.id))
            parent.children.append(Edge(node.id))


def _upstream(inputs: Iterable[_Input]) -> list[str]:
    return list(dict.fromkeys(each.id for each in inputs if each.id is not None))


def _node(row: Row, start: int, end: int | None) -> Node:
    is_flow = row[7] is not None
    return Node(
        kind="flow-run" if is_flow else "task-run",
        id=row[7] if is_flow else row[0],
        label=f"{row[9]} / {row[8]}" if is_flow else row[1],
        state_type=(row[10] if is_flow else None) or row[2],
        start_time=from_micros(start),
        end_time=maybe_moment(end),
        parents=[],
        children=[],
        encapsulating=[],
        artifacts=[],
    )


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


def _start(row: Row) -> int | None:
    return _first(row[11], row[12], row[3], row[4])


def _end(row: Row) -> int | None:
    """The end; a run that is COMPLETED without one ended when it was expected to start."""
    end = _first(row[13], row[5])
    state_type = row[10] or row[2]
    return _first(row[12], row[4]) if end is None and state_type == "COMPLETED" else end


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
