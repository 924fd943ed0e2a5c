"""Lists of artifacts end early or begin with few: SQLite finds an index for what is asked often.

Plans are asked for without statistics, as on a new database.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from armillary.api import decode
from armillary.clock import SystemClock
from armillary.db.filters import Condition
from armillary.db.listing import Span
from armillary.db.migrate import upgrade
from armillary.db.sqlite import SqliteDatabase
from armillary.db.tables import Tables
from armillary_plugins.artifacts.repository import reading, showing
from armillary_plugins.artifacts.repository.writing import BEFORE
from armillary_plugins.artifacts.schemas import FilterArtifacts, FilterLatest
from armillary_plugins.artifacts.tables import TABLES

ONE = "00000000-0000-4000-8000-000000000001"
TWO = "00000000-0000-4000-8000-000000000002"
CHANGED = {"sort": "UPDATED_DESC"}
BY_KEY = {"sort": "KEY_ASC"}
SORTED = "USE TEMP B-TREE FOR ORDER BY"
WALKED: list[tuple[dict[str, Any], str]] = [
    ({}, "a USING INDEX sqlite_autoindex_artifact_1"),
    ({"sort": "CREATED_DESC"}, "artifact_created (workspace=?)"),
    (CHANGED, "artifact_updated (workspace=?)"),
    (BY_KEY, "artifact_key (workspace=?)"),
    ({"artifacts": {"type": {"not_any_": ["result"]}}}, "sqlite_autoindex_artifact_1"),
    ({**CHANGED, "artifacts": {"key": {"any_": ["k"]}}}, "artifact_key_updated"),
    ({"artifacts": {"key": {"any_": ["k"]}}}, "artifact_key (workspace=? AND key=?)"),
    ({"artifacts": {"type": {"any_": ["table"]}}}, "artifact_type (workspace=? AND type=?)"),
]
FEW: list[tuple[dict[str, Any], str]] = [
    ({"artifacts": {"id": {"any_": [ONE, TWO]}}}, "sqlite_autoindex_artifact_1 (id=?)"),
    *[
        ({"sort": sort, **asked}, index)
        for sort in ("ID_DESC", "UPDATED_DESC", "KEY_ASC", "CREATED_DESC")
        for asked, index in (
            ({"artifacts": {"flow_run_id": {"any_": [ONE]}}}, "artifact_flow_run"),
            ({"artifacts": {"flow_run_id": {"any_": [ONE, TWO]}}}, "artifact_flow_run"),
            ({"artifacts": {"task_run_id": {"any_": [ONE]}}}, "artifact_task_run"),
            ({"flow_runs": {"id": {"any_": [ONE]}}}, "artifact_flow_run"),
            ({"flow_runs": {"deployment_id": {"any_": [ONE]}}}, "artifact_flow_run"),
            ({"task_runs": {"id": {"any_": [ONE]}}}, "artifact_task_run"),
            ({"deployments": {"id": {"any_": [ONE]}}}, "artifact_flow_run"),
            ({"flows": {"name": {"any_": ["etl"]}}}, "artifact_flow_run"),
        )
    ],
]
LATEST_WALKED: list[tuple[dict[str, Any], str]] = [
    ({}, "c USING INDEX sqlite_autoindex_artifact_collection_1"),
    ({"sort": "CREATED_DESC"}, "artifact_collection_created (workspace=?)"),
    (CHANGED, "artifact_collection_updated (workspace=?)"),
    (BY_KEY, "artifact_collection_key (workspace=?)"),
    (
        {**BY_KEY, "artifacts": {"type": {"any_": ["table"]}}},
        "c USING INDEX artifact_collection_key",
    ),
    ({**CHANGED, "artifacts": {"type": {"any_": ["table"]}}}, "artifact_collection_updated"),
    ({**BY_KEY, "artifacts": {"key": {"any_": ["k"]}}}, "artifact_collection_key"),
]


@pytest.fixture
async def database(fresh_sqlite: str) -> AsyncIterator[SqliteDatabase]:
    found = SqliteDatabase(Path(fresh_sqlite.removeprefix("sqlite:///")), SystemClock())
    await found.open()
    await upgrade(found, [Tables(owner="core", after=()), TABLES])
    yield found
    await found.close()


async def plan(database: SqliteDatabase, asked: Condition) -> str:
    rows = await database.read(1).all(f"explain query plan {asked.sql}", *asked.args)
    return "\n".join(row[3] for row in rows)


async def plan_of(database: SqliteDatabase, asked: dict[str, Any]) -> str:
    body = decode(FilterArtifacts, msgspec.json.encode(asked))
    ids = reading.artifact_ids(1, body.selection(1), body.sort, Span(50))
    return await plan(database, ids)


async def plan_of_latest(database: SqliteDatabase, asked: dict[str, Any]) -> str:
    body = decode(FilterLatest, msgspec.json.encode(asked))
    ids = reading.collection_ids(1, body.selection(1), body.sort, Span(50))
    return await plan(database, ids)


async def test_a_list_of_artifacts_walks_an_index_in_its_order(database: SqliteDatabase) -> None:
    for asked, index in WALKED:
        found = await plan_of(database, asked)
        assert index in found, (asked, found)
        assert SORTED not in found, (asked, found)


async def test_artifacts_of_a_key_or_without_one_are_many_and_never_sorted(
    database: SqliteDatabase,
) -> None:
    for sort in ("KEY_ASC", "KEY_DESC"):
        assert "TEMP B-TREE" not in await plan_of(database, {"sort": sort})


async def test_a_list_of_few_artifacts_finds_them_by_an_index(database: SqliteDatabase) -> None:
    for asked, index in FEW:
        found = await plan_of(database, asked)
        assert index in found, (asked, found)
        assert "SCAN" not in found.replace("SCAN json_each", ""), (asked, found)


async def test_a_list_of_collections_walks_an_index_in_its_order(
    database: SqliteDatabase,
) -> None:
    for asked, index in LATEST_WALKED:
        found = await plan_of_latest(database, asked)
        assert index in found, (asked, found)
        assert SORTED not in found, (asked, found)


async def test_collections_of_few_artifacts_are_found_by_them(database: SqliteDatabase) -> None:
    by_id = ({"artifacts": {"latest_id": {"any_": [ONE, TWO]}}}, "artifact_collection_latest")
    for wanted, index in (by_id, *FEW[1:]):
        found = await plan_of_latest(database, wanted)
        assert index in found, (wanted, found)
        assert "SCAN" not in found.replace("SCAN json_each", ""), (wanted, found)


async def test_the_artifact_before_the_latest_and_those_of_a_graph_are_sought(
    database: SqliteDatabase,
) -> None:
    before = await plan(database, Condition(BEFORE, (1, "k", "[]")))
    assert "artifact_key (workspace=? AND key=?)" in before
    assert SORTED not in before
    of_graph = await plan(database, Condition(reading.OF_GRAPH, (1, ONE, 10)))
    assert "artifact_flow_run (workspace=? AND flow_run_id=?)" in of_graph
    assert "artifact_collection_latest (latest_id=?)" in of_graph


async def test_keys_and_the_history_of_one_are_walked_in_their_order(
    database: SqliteDatabase,
) -> None:
    for sql in (showing.LIST_AFTER[False], showing.LIST_BEFORE[False]):
        found = await plan(database, Condition(sql, (1, "%", "", 50, 1)))
        assert "artifact_collection_key (workspace=? AND key" in found
        assert "sqlite_autoindex_artifact_1 (id=?)" in found
    history = await plan(database, Condition(showing.HISTORY, (1, "k", ONE, 50)))
    assert "artifact_key (workspace=? AND key=? AND id<?)" in history
    assert SORTED not in history
