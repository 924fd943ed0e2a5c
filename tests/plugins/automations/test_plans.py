"""Automations are found by an index in whatever order, and so are those of a resource.

Plans are asked for without statistics, as on a new database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from armillary.clock import SystemClock
from armillary.db.filters import TRUE, any_of
from armillary.db.listing import Span
from armillary.db.migrate import upgrade
from armillary.db.sqlite import SqliteDatabase
from armillary.db.tables import Tables
from armillary.db.unit import Reader, Row
from armillary_plugins.automations import repository
from armillary_plugins.automations.schemas import AutomationSort
from armillary_plugins.automations.tables import TABLES

SORTED = "USE TEMP B-TREE"
INDEXES: dict[AutomationSort, str] = {
    "NAME_ASC": "automation_name",
    "NAME_DESC": "automation_name",
    "CREATED_DESC": "automation_created",
    "UPDATED_DESC": "automation_updated",
}
IN_FORCE = "select id from automation where workspace = ? and enabled = 1 order by id"


class Planning(Reader):
    """Finds nothing, and notes how it would have been looked for."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader.workspace)
        self.dialect = reader.dialect
        self._reader = reader
        self.plan = ""

    async def one(self, sql: str, *args: object) -> Row | None:
        await self.all(sql, *args)
        return None

    async def all(self, sql: str, *args: object) -> Sequence[Row]:
        rows = await self._reader.all(f"explain query plan {sql}", *args)
        self.plan = "\n".join(row[3] for row in rows)
        return []


@pytest.fixture
async def planning(fresh_sqlite: str) -> AsyncIterator[Planning]:
    database = SqliteDatabase(Path(fresh_sqlite.removeprefix("sqlite:///")), SystemClock())
    await database.open()
    await upgrade(database, [Tables(owner="core", after=()), TABLES])
    yield Planning(database.read(1))
    await database.close()


async def test_a_list_walks_an_index_in_its_order(planning: Planning) -> None:
    for sort, index in INDEXES.items():
        await repository.list_automations(planning, TRUE, sort, Span(50))
        assert f"{index} (workspace=?)" in planning.plan, planning.plan
        before_the_page, _, _ = planning.plan.partition("SCAN k")
        assert SORTED not in before_the_page, planning.plan


async def test_one_by_its_name_is_sought(planning: Planning) -> None:
    (named,) = any_of("a.name", ["watch"])
    await repository.list_automations(planning, named, "NAME_ASC", Span(50))
    assert "automation_name (workspace=? AND name=?)" in planning.plan


async def test_those_of_a_resource_are_found_by_it(planning: Planning) -> None:
    await repository.list_related(planning, "prefect.deployment.x")
    assert "automation_resource_about (workspace=? AND resource_id=?)" in planning.plan
    assert "sqlite_autoindex_automation_1 (id=?)" in planning.plan


async def test_those_in_force_are_an_index_of_their_own(planning: Planning) -> None:
    await planning.all(IN_FORCE, 1)
    assert planning.plan == "SEARCH automation USING INDEX automation_enabled (workspace=?)"
