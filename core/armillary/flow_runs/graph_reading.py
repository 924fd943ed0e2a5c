"""Reading what the graph of a flow run is made of, and remembering large ones that are asked again.

Who looks at a run asks for its graph every few seconds, although what has ended changes no more.
To draw thousands of nodes takes longer than to read their rows: where these are the same as the
last time, the answer is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from armillary.api import Answer
from armillary.db.filters import json_list
from armillary.db.unit import Reader
from armillary.errors import Refused
from armillary.flow_runs.graph import MAX_NODES, ArtifactsOfRun, GraphRows

_MAX_ARTIFACTS = 10_000
_LARGE = 500
"""Nodes from which a graph is remembered."""
_KNOWN = 20_000
"""Nodes of all that are: with their rows about 25 MB."""
_RUN = """
select start_time, expected_start_time, end_time from flow_run where id = ? and workspace = ?
"""
_TASKS = """
select t.id, t.name, t.state_type, t.start_time, t.expected_start_time, t.end_time, t.task_inputs
from task_run t
where t.flow_run_id = ? and {no_index}t.workspace = ? and t.state_type is not null limit ?
"""
_SUBFLOWS = """
select r.parent_task_run_id, r.id, r.name, f.name, r.state_type, r.start_time,
  r.expected_start_time, r.end_time
from {each} cross join flow_run r left join flow f on f.id = r.flow_id
where r.parent_task_run_id = value and {no_index}r.workspace = ? order by r.id limit ?
"""
_STATES = """
select id, timestamp, type, name from flow_run_state where flow_run_id = ? order by timestamp
"""


async def read_rows(
    reader: Reader, run_id: str, *, sources: Sequence[ArtifactsOfRun] = ()
) -> GraphRows | None:
    """Read all of a run's graph; None without the run.  Artifacts come from the ``sources``.

    Refused (400) if it has more nodes than anybody can look at.
    """
    key = reader.workspace
    run = await reader.one(_RUN, run_id, key)
    if run is None:
        return None
    tasks = await reader.all(_TASKS, run_id, key, MAX_NODES + 1)
    ids = json_list(task[0] for task in tasks)
    subflows = await reader.all(_SUBFLOWS, ids, key, MAX_NODES + 1)
    if max(len(tasks), len(subflows)) > MAX_NODES:
        raise Refused(400, f"The graph of flow run {run_id} has more than {MAX_NODES} nodes.")
    states = await reader.all(_STATES, run_id)
    placed = [each for source in sources for each in await source(reader, run_id, _MAX_ARTIFACTS)]
    return GraphRows(run=run, tasks=tasks, subflows=subflows, states=states, placed=placed)


class KnownGraphs:
    """Answers with large graphs, by run and ``since``, and what they were drawn from."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int | None], tuple[GraphRows, Answer]] = OrderedDict()

    def answer(
        self, run_id: str, since: int | None, rows: GraphRows, draw: Callable[[], Answer]
    ) -> Answer:
        """Give the answer that was drawn from the same, or draw it."""
        key = (run_id, since)
        known = self._known.pop(key, None)
        answer = draw() if known is None or known[0] != rows else known[1]
        if len(rows.tasks) >= _LARGE:
            self._known[key] = (rows, answer)
            while sum(len(each.tasks) for each, _ in self._known.values()) > _KNOWN:
                self._known.popitem(last=False)
        return answer
