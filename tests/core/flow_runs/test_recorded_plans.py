"""How SQLite carries out what is asked most of flow runs, as recorded; the diff is the review.

Every statement of a request is recorded, asked without statistics, as on a server's database.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from armillary.api import decode
from armillary.clock import SystemClock
from armillary.db.listing import Span
from armillary.db.sqlite import SqliteDatabase, SqliteReader
from armillary.db.unit import Reader, Row
from armillary.flow_runs.criteria import Selection
from armillary.flow_runs.lists import FilterFlowRuns
from armillary.flow_runs.selecting import FlowRunSort, ids_statement
from armillary.flow_runs.totals import count_flow_runs, flow_run_history
from armillary.history import Window
from armillary.work_pools.events import PoolRef
from armillary.work_pools.repository.polling import Polled, Queue, due_runs

ID = "00000000-0000-4000-8000-000000000001"
NOW = 1_795_000_000_000_000
HOUR = 3_600_000_000
FAILED = {"state": {"type": {"any_": ["FAILED"]}}}
COMPLETED = {"state": {"type": {"any_": ["COMPLETED"]}}}
NAMED = {"state": {"name": {"any_": ["Late"]}}}
TAGGED = {"tags": {"all_": ["a"]}}
LATELY = {"expected_start_time": {"after_": "2026-11-21T00:00:00Z"}}
ROOTS = {"parent_task_run_id": {"is_null_": True}}
QUEUE = Queue(
    id=ID, name="default", is_paused=False, concurrency_limit=None, last_polled=None, status="READY"
)
POLLED = Polled(
    pool=PoolRef(id=ID, name="pool", type="process"), is_paused=False, concurrency_limit=None,
    every=(QUEUE,), queues=(QUEUE,),
)  # fmt: skip
ASKED: dict[str, dict[str, Any]] = {
    "all": {},
    "failed": {"flow_runs": FAILED},
    "completed": {"flow_runs": COMPLETED},
    "late by name": {"flow_runs": NAMED},
    "tagged": {"flow_runs": TAGGED},
    "failed and tagged": {"flow_runs": FAILED | TAGGED},
    "completed and tagged": {"flow_runs": COMPLETED | TAGGED},
    "since yesterday": {"flow_runs": LATELY},
    "failed since yesterday": {"flow_runs": FAILED | LATELY},
    "not begun by a task run": {"flow_runs": ROOTS},
    "of a deployment": {"deployments": {"id": {"any_": [ID]}}},
    "failed of a deployment": {"deployments": {"id": {"any_": [ID]}}, "flow_runs": FAILED},
    "of a flow by name": {"flows": {"name": {"any_": ["etl"]}}},
    "of a pool by name": {"work_pools": {"name": {"any_": ["k8s"]}}},
}
SORTS: tuple[FlowRunSort, ...] = ("EXPECTED_START_TIME_DESC", "START_TIME_DESC", "ID_DESC")
Ask = Callable[[Reader], Awaitable[object]]


class Explaining(SqliteReader):
    """Notes how each statement is carried out before it is."""

    def __init__(self, database: SqliteDatabase) -> None:
        super().__init__(database, 1)
        self.steps: list[str] = []

    async def one(self, sql: str, *args: object) -> Row | None:
        await self._note(sql, args)
        return await super().one(sql, *args)

    async def all(self, sql: str, *args: object) -> Sequence[Row]:
        await self._note(sql, args)
        return await super().all(sql, *args)

    async def _note(self, sql: str, args: Sequence[object]) -> None:
        depth = {0: 1}
        for row in await super().all(f"explain query plan {sql}", *args):
            depth[row[0]] = depth[row[1]] + 1
            self.steps.append("  " * depth[row[1]] + row[3])


async def plan(database: SqliteDatabase, ask: Ask) -> str:
    reader = Explaining(database)
    await ask(reader)
    return "\n".join(reader.steps)


async def list_ids(selection: Selection, sort: FlowRunSort, reader: Reader) -> None:
    """What finds the runs of a list; their rows are then read by id."""
    ids = await ids_statement(reader, selection, sort, Span(50))
    await reader.all(ids.sql, *ids.args)


async def count(selection: Selection, reader: Reader) -> None:
    await count_flow_runs(reader, selection)


async def history(selection: Selection, reader: Reader) -> None:
    await flow_run_history(reader, selection, Window(NOW - 24 * HOUR, HOUR, 24), now=NOW)


async def poll(reader: Reader) -> None:
    before = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    await due_runs(reader, POLLED, before=before, after=None, limit=200, now=NOW)


def asks() -> dict[str, Ask]:
    found: dict[str, Ask] = {"poll": poll}
    for name, asked in ASKED.items():
        selection = decode(FilterFlowRuns, msgspec.json.encode(asked)).selection(1)
        for sort in SORTS:
            found[f"list, {name}, {sort}"] = partial(list_ids, selection, sort)
        found[f"count, {name}"] = partial(count, selection)
        found[f"history of 24 h, {name}"] = partial(history, selection)
    return found


@pytest.mark.snapshots
async def test_what_is_asked_most_of_flow_runs_is_carried_out_as_recorded(
    copied_sqlite: str, snapshot: Callable[[str, str], None]
) -> None:
    database = SqliteDatabase(Path(copied_sqlite.removeprefix("sqlite:///")), SystemClock())
    await database.open()
    try:
        parts = [f"{name}\n{await plan(database, ask)}\n" for name, ask in asks().items()]
    finally:
        await database.close()
    text = "\n".join(parts)
    assert "SCAN r\n" not in text, "a list, count or history reads the whole table"
    snapshot("plans_of_flow_runs.txt", text)
