"""What the planner of PostgreSQL, which goes by statistics, shall not be led astray by."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import pytest

from armillary.api import decode
from armillary.clock import SystemClock
from armillary.db.database import Database
from armillary.db.listing import Span
from armillary.db.postgres import PostgresDatabase
from armillary.flow_runs.lists import FilterFlowRuns
from armillary.flow_runs.selecting import ids_statement

FLOW = """
insert into flow (id, workspace, created, updated, name, tags, labels)
values ('f', 1, 0, 0, 'f', '[]', '{}')
"""
RUNS = """
insert into flow_run (id, workspace, created, updated, name, flow_id, run_count, total_run_time,
  auto_scheduled, empirical_policy, parameters, context, tags, labels, state_type, state_name,
  start_time, expected_start_time)
select 'r' || n, 1, n, n, 'r' || n, 'f', 0, 0, 0, '{}', '{}', '{}', '[]', '{}',
  case when ran then 'COMPLETED' else 'SCHEDULED' end,
  case when ran then 'Completed' else 'Scheduled' end, case when ran then n * 60000000::bigint end,
  n * 60000000::bigint
from (select n, n < 19000 as ran from generate_series(1, 20000) n) numbers
"""
OFTEN = "autovacuum_vacuum_scale_factor=0.01"
TYPE = {"type": {"any_": ["COMPLETED"]}}
NAME = {"name": {"any_": ["Completed"]}}


@pytest.fixture
async def database(copied_postgres: str) -> AsyncIterator[Database]:
    """Nineteen of twenty runs have run, the others are scheduled later; the planner knows."""
    found = PostgresDatabase(copied_postgres, SystemClock())
    await found.open()
    connection = await asyncpg.connect(copied_postgres)
    try:
        for statement in (FLOW, RUNS, "vacuum analyze flow_run"):
            await connection.execute(statement)
    finally:
        await connection.close()
    yield found
    await found.close()


@pytest.mark.parametrize("sort", ["START_TIME_DESC", "EXPECTED_START_TIME_DESC"])
@pytest.mark.parametrize("state", [TYPE, NAME])
async def test_a_list_of_a_state_most_runs_have_does_not_pass_those_scheduled_ahead(
    database: Database, sort: str, state: dict[str, Any]
) -> None:
    plan = await plan_of(database, {"sort": sort, "flow_runs": {"state": state}})
    assert "flow_run_state" in plan or "flow_run_name" in plan
    assert "state_type = " not in plan


@pytest.mark.parametrize("sort", ["START_TIME_DESC", "START_TIME_ASC"])
async def test_a_list_by_start_of_a_window_walks_from_its_end(
    database: Database, sort: str
) -> None:
    window = {"after_": "1970-01-02T00:00:00Z", "before_": "1970-01-14T00:00:00Z"}
    plan = await plan_of(database, {"sort": sort, "flow_runs": {"expected_start_time": window}})
    on_time, _, _ = plan.partition("flow_run_displaced")
    started = on_time.partition("flow_run_started")[2]
    assert "COALESCE(start_time, expected_start_time) >= " in started
    assert "COALESCE(start_time, expected_start_time) <= " in started
    assert "Scan on flow_run_displaced" in plan or "using flow_run_displaced" in plan


async def test_runs_are_vacuumed_long_before_a_fifth_of_them_has_changed(
    copied_postgres: str,
) -> None:
    connection = await asyncpg.connect(copied_postgres)
    try:
        rows = await connection.fetch("select relname, reloptions from pg_class")
    finally:
        await connection.close()
    early = {row["relname"] for row in rows if OFTEN in (row["reloptions"] or ())}
    assert early == {"flow_run", "flow_run_tag", "task_run"}


async def plan_of(database: Database, asked: dict[str, Any]) -> str:
    body = decode(FilterFlowRuns, msgspec.json.encode(asked))
    reader = database.read(1)
    ids = await ids_statement(reader, body.selection(1), body.sort, Span(50))
    rows = await reader.all(f"explain {ids.sql}", *ids.args)
    return "\n".join(row[0] for row in rows)
