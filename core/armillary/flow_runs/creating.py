"""Creating flow runs: the row, its initial state by the minimal policy, and the event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec

from armillary.clock import maybe_micros, to_micros
from armillary.db.operation import Operation
from armillary.db.unit import Row, Unit
from armillary.errors import Conflict
from armillary.flow_runs.events import RunContext
from armillary.flow_runs.loading import Loaded, creator, union_of_tags
from armillary.flow_runs.reading import COLUMNS
from armillary.flow_runs.writing import (
    FlowRunWrite,
    announce,
    in_tags,
    insert_states,
    policy_text,
    state_row,
)
from armillary.orchestration.decision import decide
from armillary.orchestration.policies import FlowRunPolicy
from armillary.orchestration.states import Proposal
from armillary.orchestration.transition import Client, FlowRunFacts, Transition

if TYPE_CHECKING:
    from armillary.orchestration.engine import Gate

_CONTEXT = """
select f.id, f.name, f.tags, f.labels, f.workspace, d.id, d.name, d.tags, q.name, p.id, p.name,
  p.type, t.id, t.name, t.tags
from flow f
  left join deployment d on d.id = ? and d.workspace = f.workspace
  left join work_queue q on q.id = ? and q.workspace = f.workspace
  left join work_pool p on p.id = q.work_pool_id
  left join task_run t on t.id = ? and t.workspace = f.workspace
where f.id = ?
"""
_FLOWS = """
select f.id, f.name, f.tags, f.labels, f.workspace, null, null, null, null, null, null, null,
  null, null, null
from flow f where f.id {one}
"""
_EXISTING = "select id from flow_run where flow_id = ? and idempotency_key = ?"
_COLUMNS = (
    "id, workspace, created, updated, name, flow_id, state_id, state_type, state_name, "
    "state_timestamp, deployment_id, deployment_version, work_queue_id, work_queue_name, "
    "flow_version, idempotency_key, parent_task_run_id, schedule_id, run_count, "
    "expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time, "
    "auto_scheduled, retry_type, infrastructure_document_id, infrastructure_pid, "
    "empirical_policy, parameters, context, tags, labels, job_variables, created_by"
)
_NAMES = tuple(name.strip() for name in _COLUMNS.split(","))
_as_columns = itemgetter(
    *(
        _NAMES.index(name.strip().removeprefix("r."))
        for name in COLUMNS.split(",")
        if name.strip()[:2] == "r."
    )
)
_INSERT = f"insert into flow_run ({_COLUMNS}) values ({', '.join('?' * 35)})"
_INSERT_TAG = """
insert into flow_run_tag
  (workspace, tag, expected_start_time, flow_run_id, state_type, state_name, started)
values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing
"""
_encode = msgspec.json.Encoder().encode
_labels = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class NewFlowRun(msgspec.Struct, frozen=True, kw_only=True):
    """A flow run to be.  ``parameters``, ``context``, ``job_variables`` are JSON text.

    ``labels`` are laid over ``base_labels``, or over the flow's where those are None.
    """

    workspace: int
    id: str
    name: str
    flow_id: str
    proposal: Proposal
    client: Client = Client()
    deployment_id: str | None = None
    deployment_version: str | None = None
    work_queue_id: str | None = None
    work_queue_name: str | None = None
    flow_version: str | None = None
    idempotency_key: str | None = None
    parent_task_run_id: str | None = None
    schedule_id: str | None = None
    auto_scheduled: bool = False
    infrastructure_document_id: str | None = None
    infrastructure_pid: str | None = None
    empirical_policy: FlowRunPolicy = FlowRunPolicy()
    parameters: str = "{}"
    context: str = "{}"
    tags: Sequence[str] = ()
    labels: Mapping[str, msgspec.Raw] = msgspec.field(default_factory=dict)
    base_labels: Mapping[str, msgspec.Raw] | None = None
    job_variables: str | None = None
    created_by: str | None = None
    announced: bool = True
    """Whether its first state is an event; the scheduler's are not."""


class Created(msgspec.Struct, frozen=True):
    """A run that was created, or that there was already by its key.

    ``row`` is a new run's in the columns of :mod:`armillary.flow_runs.reading`, so that nobody
    has to read what was just written.
    """

    run_id: str
    created: bool
    row: Row | None = None


class CreateFlowRuns(Operation[NewFlowRun, Created]):
    """The hot operation: many runs created together."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def key(self, request: NewFlowRun) -> object:
        """Two requests with one idempotency key are one run."""
        if request.idempotency_key:
            return (request.flow_id, request.idempotency_key)
        return request.id

    async def execute(
        self, unit: Unit, requests: Sequence[NewFlowRun]
    ) -> Sequence[Created | Exception]:
        """Create all."""
        return await insert_flow_runs(self._gate, unit, requests)


async def insert_flow_runs(
    gate: Gate, unit: Unit, requests: Sequence[NewFlowRun]
) -> list[Created | Exception]:
    """Create runs inside a unit; a run that exists by its key is answered as it is."""
    answers: list[Created | Exception] = []
    writes: list[FlowRunWrite] = []
    rows: list[tuple[object, ...]] = []
    tags: list[tuple[object, ...]] = []
    contexts = await _contexts(unit, requests)
    for new in requests:
        context = contexts.get(new.id)
        if context is None:
            answers.append(Conflict())
            continue
        if new.idempotency_key:
            existing = await unit.value(_EXISTING, new.flow_id, new.idempotency_key)
            if existing is not None:
                answers.append(Created(existing, created=False))
                continue
        write = _plan(gate, unit, new, context)
        row = _row(unit.micros, new, write, context)
        rows.append(row)
        tags.extend(_tag_rows(new, write))
        writes.append(write)
        answers.append(Created(new.id, created=True, row=_as_read(row, write)))
    if rows:
        await unit.many(_INSERT, rows)
        await insert_states(unit, writes)
        if tags:
            await unit.many(_INSERT_TAG, tags)
        quiet = {new.id for new in requests if not new.announced}
        announce(unit, [write for write in writes if write.run_id not in quiet])
    return answers


async def _contexts(unit: Unit, requests: Sequence[NewFlowRun]) -> dict[str, Row]:
    """Find each request's flow, and what else its event names, in its own workspace."""
    plain = [new for new in requests if _is_plain(new)]
    flows = {
        row[0]: row for row in await unit.for_each(_FLOWS, list({new.flow_id for new in plain}))
    }
    found = {new.id: flows[new.flow_id] for new in plain if new.flow_id in flows}
    seen: dict[tuple[str | None, ...], Row | None] = {}
    for new in requests:
        if not _is_plain(new):
            key = (new.deployment_id, new.work_queue_id, new.parent_task_run_id, new.flow_id)
            if key not in seen:
                seen[key] = await unit.one(_CONTEXT, *key)
            row = seen[key]
            if row is not None:
                found[new.id] = row
    return {new.id: found[new.id] for new in requests
            if new.id in found and found[new.id][4] == new.workspace}  # fmt: skip


def _is_plain(new: NewFlowRun) -> bool:
    return (
        new.deployment_id is None and new.work_queue_id is None and new.parent_task_run_id is None
    )


def _plan(gate: Gate, unit: Unit, new: NewFlowRun, context: Row) -> FlowRunWrite:
    """Decide the initial state; nothing is reserved on creation, so no rule needs the store."""
    facts = FlowRunFacts(
        id=new.id,
        deployment_id=new.deployment_id,
        deployment_found=context[5] is not None,
        parent_task_run_id=new.parent_task_run_id,
        work_queue_id=new.work_queue_id,
        infrastructure_pid=new.infrastructure_pid,
        policy=new.empirical_policy,
    )
    transition = Transition(
        initial=None,
        proposed=new.proposal,
        now=unit.now,
        flow_run=facts,
        client=new.client,
        limits=gate.limits,
        chance=gate.chance.random(),
    )
    decision = decide(gate.policies.of("flow_run", "minimal"), transition)
    try:
        ask = next(decision)
    except StopIteration as end:
        outcome = end.value
    else:
        message = f"the rule {type(ask.rule).__name__} wants the store for a run without a state"
        raise RuntimeError(message)
    loaded = Loaded(
        workspace=new.workspace,
        facts=facts,
        state=None,
        context=_run_context(new, context),
    )
    write, _ = gate.plan(loaded, transition, outcome)
    if write is None:
        message = "the minimal policy refused the first state of a run"
        raise RuntimeError(message)
    return write


def _run_context(new: NewFlowRun, row: Row) -> RunContext:
    return RunContext(
        name=new.name,
        flow_id=new.flow_id,
        flow_name=row[1],
        deployment_id=new.deployment_id,
        deployment_name=row[6],
        work_queue_id=new.work_queue_id,
        work_queue_name=row[8],
        work_pool_id=row[9],
        work_pool_name=row[10],
        work_pool_type=row[11],
        parent_task_run_id=row[12],
        parent_task_run_name=row[13],
        tags=frozenset(new.tags) | union_of_tags(row[2], row[7], row[14]),
        creator=creator(new.created_by),
    )


def _row(micros: int, new: NewFlowRun, write: FlowRunWrite, context: Row) -> tuple[object, ...]:
    columns, state = write.columns, write.state
    policy = write.policy or new.empirical_policy
    return (
        new.id, new.workspace, micros, micros, new.name, new.flow_id,
        state.id, str(state.type), state.name, to_micros(state.timestamp),
        new.deployment_id, new.deployment_version, new.work_queue_id, new.work_queue_name,
        new.flow_version, new.idempotency_key or None, new.parent_task_run_id, new.schedule_id,
        columns.run_count, maybe_micros(columns.expected_start_time),
        maybe_micros(columns.next_scheduled_start_time), maybe_micros(columns.start_time),
        maybe_micros(columns.end_time), columns.total_run_time, int(new.auto_scheduled),
        policy.retry_type, new.infrastructure_document_id, new.infrastructure_pid,
        policy_text(policy), new.parameters, new.context, _encode(new.tags).decode(),
        _encode(_all_labels(new, context[3])).decode(), new.job_variables, new.created_by,
    )  # fmt: skip


def _as_read(row: tuple[object, ...], write: FlowRunWrite) -> Row:
    """Put an inserted row into the order it is read in, with what is joined to it there."""
    context = write.context
    state = state_row(write.run_id, write.state)
    return (
        *_as_columns(row),
        context.work_queue_name,
        context.work_pool_id,
        context.work_pool_name,
        state[0],
        *state[2:],
    )


def _all_labels(new: NewFlowRun, flow_labels: str) -> dict[str, msgspec.Raw]:
    base = _labels(flow_labels) if new.base_labels is None else dict(new.base_labels)
    base["prefect.flow.id"] = msgspec.Raw(_encode(new.flow_id))
    if new.deployment_id is not None and new.base_labels is not None:
        base["prefect.deployment.id"] = msgspec.Raw(_encode(new.deployment_id))
    return {**base, **new.labels}


def _tag_rows(new: NewFlowRun, write: FlowRunWrite) -> list[tuple[object, ...]]:
    expected = maybe_micros(write.columns.expected_start_time)
    run = (expected, new.id, *in_tags(write))
    return [(new.workspace, tag, *run) for tag in dict.fromkeys(new.tags)]
