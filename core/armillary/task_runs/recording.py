"""Task runs made of what clients report: the gate's second door, without any decision.

A batch is recorded in one unit.  For each run the state that occurred last is its head, whatever
came first; every state is in its history, once.  Rows are locked and written in one order, by
natural key, so that batches at the same time do not wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import msgspec

from armillary.db.unit import Row, Unit
from armillary.errors import Unavailable
from armillary.metrics import Metrics
from armillary.task_runs.reports import DEFAULTS, FIELDS, UNSET, Report

Natural: TypeAlias = tuple[str, str, str]

_LOADED = f"r.id, r.workspace, r.state_timestamp, {', '.join(f'r.{name}' for name in FIELDS)}"
_BY_ID = f"select {_LOADED} from task_run r where r.id {{one}} order by r.id {{lock_r}}"
_SIZES = (64, 32, 16, 8, 4, 2, 1)
_BY_NATURAL = {
    size: f"""
with wanted (f, k, d) as (values {", ".join(["(?, ?, ?)"] * size)})
select {_LOADED} from wanted
  join task_run r on r.flow_run_id = f and r.task_key = k and r.dynamic_key = d
order by r.flow_run_id, r.task_key, r.dynamic_key {{lock_r}}
"""
    for size in _SIZES
}
_STATES = "select id from task_run_state where id {one}"
_FLOW_RUNS = "select id, workspace from flow_run where id {one}"
_HEADS = "select id, state_id from task_run where id {one}"
_WRITTEN = (*FIELDS, "updated", "state_id", "state_type", "state_name", "state_timestamp")
_INSERT = f"""
insert into task_run ({", ".join(_WRITTEN)}, id, workspace, created)
values ({", ".join("?" * (len(_WRITTEN) + 3))}) on conflict do nothing
"""
_UPDATE = f"""
update task_run set {", ".join(f"{name} = ?" for name in _WRITTEN)}
where id = ? and (state_timestamp is null or state_timestamp < ?)
"""
_INSERT_STATE = """
insert into task_run_state (id, task_run_id, type, name, timestamp, message, data, details)
values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing
"""
_ATTEMPTS = 3


class _Head(msgspec.Struct):
    """A task run as it is while a batch is laid over it."""

    id: str
    workspace: int
    occurred: int | None
    values: list[Any]
    new: bool
    by: Report | None = None
    """The report it shows; None while it shows what was stored."""

    def take(self, report: Report) -> None:
        """Show this report if it is later than what is shown."""
        if self.occurred is not None and self.occurred >= report.occurred:
            return
        self.occurred = report.occurred
        self.by = report
        values = self.values
        for place, value in enumerate(report.values):
            if value is not UNSET:
                values[place] = value

    def order(self) -> tuple[str, str, str, str]:
        """Where in a batch it is written."""
        return (self.values[1] or "", self.values[2], self.values[3], self.id)

    def columns(self, micros: int) -> list[Any]:
        """What is written of it."""
        report = self.by
        if report is None:
            message = "a task run without news is not written"
            raise ValueError(message)
        return [
            *self.values, micros, report.event_id, report.state_type, report.state_name,
            report.occurred,
        ]  # fmt: skip


class Recorder:
    """Writes reports; what cannot belong to any run of the workspace is dropped and counted."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def record(self, unit: Unit, reports: Sequence[Report]) -> None:
        """Record a batch, of any number of runs and workspaces."""
        left = await _unknown(unit, reports)
        for _ in range(_ATTEMPTS):
            if not left:
                return
            left = await self._record(unit, left)
        message = f"{len(left)} task runs were written by others at the same time, again and again"
        raise Unavailable(message)

    async def _record(self, unit: Unit, reports: Sequence[Report]) -> list[Report]:
        """Record; return the reports of runs that somebody else has just created."""
        batch = await _loaded(unit, reports)
        placed: list[tuple[_Head, Report]] = []
        for report in reports:
            head = batch.head_for(report)
            if isinstance(head, str):
                self._metrics.count("armillary_task_run_events_dropped", reason=head)
                continue
            head.take(report)
            placed.append((head, report))
        heads = sorted(
            {id(head): head for head, _ in placed if head.by is not None}.values(),
            key=_Head.order,
        )
        lost = await _insert(unit, [head for head in heads if head.new])
        await _update(unit, [head for head in heads if not head.new])
        states = [report.state_row(head.id) for head, report in placed if head.id not in lost]
        if states:
            await unit.many(_INSERT_STATE, sorted(states, key=_first))
        return [report for head, report in placed if head.id in lost]


class _Batch(msgspec.Struct):
    """Everything loaded for a batch."""

    by_natural: dict[Natural, _Head]
    by_id: dict[str, _Head]
    flow_runs: dict[str, int]

    def head_for(self, report: Report) -> _Head | str:
        """Find or begin the run a report is about; or say why it is about none."""
        natural = report.natural
        head = None if natural is None else self.by_natural.get(natural)
        if head is None:
            if natural is not None and self.flow_runs.get(natural[0]) != report.workspace:
                return "flow run missing"
            head = self.by_id.get(report.run_id)
            if head is None:
                head = self.by_id[report.run_id] = _begun(report)
        if head.workspace != report.workspace:
            return "of another workspace"
        if natural is not None:
            self.by_natural[natural] = head
        return head


def _begun(report: Report) -> _Head:
    values = list(DEFAULTS)
    values[0] = f"{report.task_key}-{report.dynamic_key}"
    return _Head(
        id=report.run_id, workspace=report.workspace, occurred=None, values=values, new=True
    )


def _stored(row: Row) -> _Head:
    return _Head(id=row[0], workspace=row[1], occurred=row[2], values=list(row[3:]), new=False)


def _natural_of(head: _Head) -> Natural:
    return (head.values[1], head.values[2], head.values[3])


async def _unknown(unit: Unit, reports: Sequence[Report]) -> list[Report]:
    """Leave out what is recorded already, and repeats."""
    first: dict[str, Report] = {}
    for report in reports:
        first.setdefault(report.event_id, report)
    known = {row[0] for row in await unit.for_each(_STATES, list(first))}
    return [report for key, report in first.items() if key not in known]


async def _loaded(unit: Unit, reports: Sequence[Report]) -> _Batch:
    """Load and lock the runs of a batch, first by natural key, then by id."""
    naturals = sorted({report.natural for report in reports if report.natural is not None})
    found = [_stored(row) for row in await _by_natural(unit, naturals)]
    by_natural = {_natural_of(head): head for head in found}
    by_id = {head.id: head for head in found}
    rest = [report for report in reports if report.natural not in by_natural]
    unseen = sorted({report.run_id for report in rest} - by_id.keys())
    for row in await unit.for_each(_BY_ID, unseen) if unseen else ():
        by_id[row[0]] = _stored(row)
    parents = sorted({report.flow_run_id for report in rest if report.flow_run_id is not None})
    rows = await unit.for_each(_FLOW_RUNS, parents) if parents else ()
    return _Batch(by_natural, by_id, {row[0]: row[1] for row in rows})


async def _by_natural(unit: Unit, naturals: Sequence[Natural]) -> list[Row]:
    """Look natural keys up, in statements of few shapes."""
    rows: list[Row] = []
    start = 0
    while start < len(naturals):
        size = next(size for size in _SIZES if size <= len(naturals) - start)
        arguments = [part for key in naturals[start : start + size] for part in key]
        rows.extend(await unit.all(_BY_NATURAL[size], *arguments))
        start += size
    return rows


async def _insert(unit: Unit, heads: Sequence[_Head]) -> set[str]:
    """Insert new runs; return the ids of those that somebody else has just created."""
    if not heads:
        return set()
    micros = unit.micros
    await unit.many(
        _INSERT, [(*head.columns(micros), head.id, head.workspace, micros) for head in heads]
    )
    shown = {row[0]: row[1] for row in await unit.for_each(_HEADS, [head.id for head in heads])}
    return {head.id for head in heads if head.by is None or shown.get(head.id) != head.by.event_id}


async def _update(unit: Unit, heads: Iterable[_Head]) -> None:
    rows = [(*head.columns(unit.micros), head.id, head.occurred) for head in heads]
    if rows:
        await unit.many(_UPDATE, rows)


def _first(row: Sequence[Any]) -> str:
    return str(row[0])
