"""The lists that people look at end early: SQLite walks an index and sorts nothing but ties.

Plans are asked for without statistics, as on a new database.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from armillary.api import decode
from armillary.clock import SystemClock
from armillary.db.filters import Condition
from armillary.db.listing import Span
from armillary.db.migrate import upgrade
from armillary.db.sqlite import SqliteDatabase
from armillary.db.tables import Tables
from armillary.flow_runs import graph, graph_reading
from armillary.flow_runs.lists import FilterFlowRuns
from armillary.flow_runs.selecting import ids_statement
from armillary.task_runs.lists import FilterTaskRuns
from armillary.task_runs.reading import ORDERS
from armillary.task_runs.reading import ids_statement as task_ids_statement

ONE = "00000000-0000-4000-8000-000000000001"
TWO = "00000000-0000-4000-8000-000000000002"
NEWEST = {"sort": "EXPECTED_START_TIME_DESC"}
STARTED = {"sort": "START_TIME_DESC"}
FAILED = {"type": {"any_": ["FAILED"]}}
SINCE = {"after_": "2026-01-01T00:00:00Z"}
SORTED = "USE TEMP B-TREE FOR ORDER BY"
BOUNDED = [
    ({}, "sqlite_autoindex_flow_run_1"),
    (NEWEST, "flow_run_expected (workspace=?)"),
    ({"sort": "START_TIME_DESC"}, "flow_run_started (workspace=?)"),
    (
        {**NEWEST, "flow_runs": {"state": {"type": {"any_": ["FAILED"]}}}},
        "flow_run_state_type (workspace=? AND state_type>? AND state_type<?)",
    ),
    (
        {**NEWEST, "flow_runs": {"state": {"name": {"any_": ["Late"]}}}},
        "flow_run_state_name (workspace=? AND <expr>>? AND <expr><?)",
    ),
    (
        {**NEWEST, "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}},
        "flow_run_state_type (workspace=? AND state_type>? AND state_type<?)",
    ),
    (
        {**NEWEST, "flow_runs": {"state": FAILED, "expected_start_time": SINCE}},
        "flow_run_state_type (workspace=? AND state_type=? AND expected_start_time>?)",
    ),
    (
        {**STARTED, "flow_runs": {"state": FAILED, "start_time": SINCE}},
        "flow_run_state_started (workspace=? AND state_type=? AND <expr>>?)",
    ),
    ({**NEWEST, "flow_runs": {"tags": {"all_": ["a"]}}}, "ft USING PRIMARY KEY"),
    ({**NEWEST, "flow_runs": {"tags": {"all_": ["a", "b"]}}}, "ft USING PRIMARY KEY"),
    (
        {**NEWEST, "flow_runs": {"deployment_id": {"any_": [ONE]}}},
        "flow_run_deployment (deployment_id=?)",
    ),
    ({**NEWEST, "deployments": {"id": {"any_": [ONE]}}}, "flow_run_deployment (deployment_id=?)"),
    ({**NEWEST, "flows": {"id": {"any_": [ONE]}}}, "flow_run_flow (flow_id=?)"),
    ({"flow_runs": {"id": {"any_": [ONE, TWO]}}}, "sqlite_autoindex_flow_run_1 (id=?)"),
    (
        {**STARTED, "flow_runs": {"state": {"type": {"any_": ["FAILED"]}}}},
        "flow_run_state_started (workspace=? AND state_type>? AND state_type<?)",
    ),
    (
        {**STARTED, "flow_runs": {"state": {"name": {"any_": ["Late"]}}}},
        "flow_run_name_started (workspace=? AND <expr>>? AND <expr><?)",
    ),
    (
        {**STARTED, "flow_runs": {"state": FAILED, "tags": {"all_": ["a"]}}},
        "flow_run_tag_started (workspace=? AND tag=? AND state_type=?)",
    ),
    (
        {**NEWEST, "flow_runs": {"state": FAILED, "tags": {"all_": ["a"]}}},
        "flow_run_tag_state (workspace=? AND tag=? AND state_type=?)",
    ),
    (
        {**STARTED, "flow_runs": {"deployment_id": {"any_": [ONE]}}},
        "flow_run_deployment_started (deployment_id=?)",
    ),
    ({**STARTED, "flows": {"id": {"any_": [ONE]}}}, "flow_run_flow_started (flow_id=?)"),
]
SMALL = [
    ({**NEWEST, "flows": {"name": {"any_": ["etl"]}}}, "flow_run_flow_started (flow_id=?)"),
    ({**NEWEST, "work_pools": {"name": {"any_": ["k8s"]}}}, "flow_run_queue (work_queue_id=?)"),
    ({"flow_runs": {"parent_task_run_id": {"any_": [ONE]}}}, "flow_run_parent"),
    ({"flow_runs": {"parent_flow_run_id": {"any_": [ONE]}}}, "flow_run_parent"),
    ({"flow_runs": {"tags": {"any_": ["a"]}}}, "flow_run_tag_started (workspace=? AND tag=?)"),
    (
        {"flow_runs": {"state": {"type": {"any_": ["FAILED", "CRASHED"]}}}},
        "flow_run_state_type (workspace=? AND state_type=?)",
    ),
]
TASK_RUNS = [
    ({}, "sqlite_autoindex_task_run_1"),
    (NEWEST, "task_run_expected (workspace=?)"),
    (
        {**NEWEST, "task_runs": {"state": {"type": {"any_": ["FAILED"]}}}},
        "task_run_notable (workspace=? AND state_type=?)",
    ),
]


@pytest.fixture
async def database(fresh_sqlite: str) -> AsyncIterator[SqliteDatabase]:

    found = SqliteDatabase(Path(fresh_sqlite.removeprefix("sqlite:///")), SystemClock())
    await found.open()
    await upgrade(found, [Tables(owner="core", after=())])
    yield found
    await found.close()


async def plan(database: SqliteDatabase, ids: Condition) -> str:
    rows = await database.read(1).all(f"explain query plan {ids.sql}", *ids.args)
    return "\n".join(row[3] for row in rows)


async def plan_of_runs(database: SqliteDatabase, asked: dict[str, Any]) -> str:
    body = decode(FilterFlowRuns, msgspec.json.encode(asked))
    ids = await ids_statement(database.read(1), body.selection(1), body.sort, Span(50))
    return await plan(database, ids)


@pytest.mark.parametrize(("asked", "index"), BOUNDED)
async def test_a_list_of_flow_runs_walks_an_index_in_its_order(
    database: SqliteDatabase, asked: dict[str, Any], index: str
) -> None:
    found = await plan_of_runs(database, asked)
    assert index in found
    assert SORTED not in found


@pytest.mark.parametrize(("asked", "index"), SMALL)
async def test_a_list_of_few_flow_runs_finds_them_by_an_index(
    database: SqliteDatabase, asked: dict[str, Any], index: str
) -> None:
    found = await plan_of_runs(database, asked)
    assert index in found


async def test_a_list_of_several_states_merges_one_walk_per_state(
    database: SqliteDatabase,
) -> None:
    asked = {**NEWEST, "flow_runs": {"state": {"type": {"any_": ["FAILED", "CRASHED"]}}}}
    found = await plan_of_runs(database, asked)
    assert found.count("flow_run_state_type (workspace=? AND state_type>? AND state_type<?)") == 2


@pytest.mark.parametrize("asked", [NEWEST, STARTED])
async def test_a_list_of_several_deployments_merges_one_walk_for_each(
    database: SqliteDatabase, asked: dict[str, Any]
) -> None:
    ids = [str(UUID(int=n)) for n in range(50)]
    found = await plan_of_runs(database, {**asked, "deployments": {"id": {"any_": ids}}})
    assert len(re.findall(r"SEARCH r USING INDEX flow_run_deployment\w* \(dep", found)) == 50


@pytest.mark.parametrize("state", [{}, {"state": FAILED}])
async def test_a_list_of_a_tag_by_start_walks_each_state_of_it(
    database: SqliteDatabase, state: dict[str, Any]
) -> None:
    asked = {**STARTED, "flow_runs": {**state, "tags": {"all_": ["a"]}}}
    found = await plan_of_runs(database, asked)
    walks = "flow_run_tag_started (workspace=? AND tag=? AND state_type=?)"
    assert found.count(walks) == (1 if state else 10)


@pytest.mark.parametrize(("asked", "index"), TASK_RUNS)
async def test_a_list_of_task_runs_walks_an_index_in_its_order(
    database: SqliteDatabase, asked: dict[str, Any], index: str
) -> None:
    body = decode(FilterTaskRuns, msgspec.json.encode(asked))
    ids = task_ids_statement(body.selection(1), ORDERS[body.sort], Span(50))
    found = await plan(database, ids)
    assert index in found
    assert SORTED not in found


async def test_task_runs_of_a_flow_run_are_found_by_it(database: SqliteDatabase) -> None:
    for asked in (
        {"flow_runs": {"id": {"any_": [ONE]}}},
        {"task_runs": {"flow_run_id": {"any_": [ONE, TWO]}}},
    ):
        body = decode(FilterTaskRuns, msgspec.json.encode(asked))
        ids = task_ids_statement(body.selection(1), ORDERS[body.sort], Span(50))
        assert "task_run_natural (flow_run_id=?)" in await plan(database, ids)


async def test_a_graph_starts_from_its_run_and_subflows_from_its_task_runs(
    database: SqliteDatabase,
) -> None:
    found = await plan(database, Condition(graph_reading._TASKS, (ONE, 1, 10)))
    assert "task_run_natural (flow_run_id=?)" in found
    subflows = await plan(database, Condition(graph_reading._SUBFLOWS, (f'["{ONE}"]', 1, 10)))
    assert "flow_run_parent (parent_task_run_id=?)" in subflows
    assert "task_run_natural (flow_run_id=?)" in await plan(
        database, Condition(graph._DEPENDENCIES, (ONE, 1, 10))
    )
