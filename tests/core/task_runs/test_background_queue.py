"""The rows of background task runs, whatever happens in whatever order: none lost, none twice."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from armillary.clock import SystemClock
from armillary.core import Core
from armillary.db.migrate import upgrade
from armillary.db.sqlite import SqliteDatabase
from armillary.db.tables import Tables
from armillary.db.unit import Unit
from armillary.task_runs.background import queue
from armillary.testing import ManualClock
from armillary_migrations.core.m0003_background_task_runs import STATEMENTS

T = TypeVar("T")
KEYS = ("say", "sing")
HOLDERS = ("one", "other", "third")
_INSERT = """
insert into task_run (id, workspace, created, updated, name, task_key, dynamic_key, state_type,
  run_count, flow_run_run_count, total_run_time, empirical_policy, task_inputs, tags, labels)
values (?, 1, 0, 0, 'n', ?, ?, 'SCHEDULED', 0, 0, 0, '{}', '{}', '[]', '{}')
"""


class Queue(RuleBasedStateMachine):
    """Runs that come, subscribers that claim, acknowledge, give back and die, and time."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        self._clock = ManualClock()
        self._database = SqliteDatabase(
            Path(self._folder.name) / "a.db", self._clock, synchronous="off"
        )
        self._await(self._database.open())
        self._await(upgrade(self._database, [Tables(owner="core", after=())]))
        self._waiting: dict[str, str] = {}
        """Keys of the runs that no worker has."""
        self._held: dict[str, tuple[str, int]] = {}
        """By whom, and until when."""
        self._gone: set[str] = set()

    def teardown(self) -> None:
        self._await(self._database.close())
        self._runner.close()
        self._folder.cleanup()

    def _await(self, work: Awaitable[T]) -> T:
        async def run() -> T:
            return await work

        return self._runner.run(run())

    def _write(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        return self._await(self._database.write(work, workspace=1))

    def _free(self, run: str) -> bool:
        return run not in self._held or self._held[run][1] <= self._clock.micros()

    @initialize()
    def some_wait(self) -> None:
        """Give the first rules something to disagree about."""
        for key in ("say", "say", "sing"):
            self.comes(key)
            self._clock.jump(1)

    @rule(key=st.sampled_from(KEYS))
    def comes(self, key: str) -> None:
        """Somebody asks for a run."""
        run = f"r{len(self._waiting) + len(self._gone):04}"

        async def work(unit: Unit) -> None:
            await unit.run(_INSERT, run, key, run)
            await unit.run(queue._WAIT, run, 1, key, queue.FIRST, unit.micros)

        self._write(work)
        self._waiting[run] = key

    @rule(holder=st.sampled_from(HOLDERS), key=st.sampled_from(KEYS))
    def claims(self, holder: str, key: str) -> None:
        now = self._clock.micros()
        ahead = {each.key: each for each in self._await(
            queue.ahead(self._database.read(1), KEYS))}  # fmt: skip
        turn = ahead[key].turn(now)
        free = {run for run, its in self._waiting.items() if its == key and self._free(run)}
        assert (turn is not None) == bool(free)
        if turn is None:
            return
        claimed = self._write(lambda unit: queue.claim(unit, key, turn, holder))
        assert claimed is not None
        assert claimed.run is not None
        assert claimed.run.id in free
        given_back = {run for run in free if run in self._held}
        assert not given_back or claimed.run.id in given_back
        self._held[claimed.run.id] = (holder, now + queue.HOLD)

    @precondition(lambda self: self._held)
    @rule(data=st.data(), holder=st.sampled_from(HOLDERS), what=st.sampled_from("apg"))
    def says(self, data: st.DataObject, holder: str, what: str) -> None:
        run = data.draw(st.sampled_from(sorted(self._held)))
        holder = data.draw(st.sampled_from([self._held[run][0] or holder, holder]))
        mine = self._held[run][0] == holder
        if what == "a":
            assert self._write(lambda unit: queue.acknowledge(unit, run, holder)) is mine
            if mine:
                del self._held[run], self._waiting[run]
                self._gone.add(run)
        elif what == "p":
            assert self._write(lambda unit: queue.prolong(unit, run, holder)) is mine
            if mine:
                self._held[run] = (holder, self._clock.micros() + queue.HOLD)
        else:
            self._write(lambda unit: queue.give_back(unit, run, holder))
            if mine:
                self._held[run] = ("", self._clock.micros())

    @rule(seconds=st.sampled_from([1, 12, 16]))
    def time_passes(self, seconds: int) -> None:
        self._clock.jump(seconds)

    @invariant()
    def every_run_waits_or_has_been_acknowledged(self) -> None:
        rows = self._await(
            self._database.read(None).all("select task_run_id from task_run_waiting")
        )
        assert {row[0] for row in rows} == set(self._waiting)


def test_no_run_is_lost_or_held_twice() -> None:
    """Each holder's claims, words and silence are compared with a model."""
    run_state_machine_as_test(
        Queue,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


@pytest.mark.parametrize(
    ("sql", "arguments"),
    [
        (queue._AHEAD, (1, 1, "[]")),
        (queue._CLAIM.partition("returning")[0], ("h", 1, 1, "k", 1, 1)),
    ],
)
async def test_what_waits_is_found_at_the_end_of_an_index(
    fresh_sqlite: str, sql: str, arguments: tuple[object, ...]
) -> None:
    database = SqliteDatabase(Path(fresh_sqlite.removeprefix("sqlite:///")), SystemClock())
    await database.open()
    await upgrade(database, [Tables(owner="core", after=())])
    rows = await database.read(1).all(f"explain query plan {sql}", *arguments)
    await database.close()
    plan = "\n".join(row[3] for row in rows)
    assert "task_run_waiting_next (workspace=? AND task_key=? AND turn=?" in plan
    assert "TEMP B-TREE" not in plan
    assert "SCAN task_run_waiting" not in plan


async def test_two_connections_that_claim_at_once_get_two_runs(core: Core) -> None:
    async def come(unit: Unit) -> None:
        for run in ("a", "b"):
            await unit.run(_INSERT, run, "say", run)
            await unit.run(queue._WAIT, run, 1, "say", queue.FIRST, unit.micros)

    await core.database.write(come, workspace=1)
    claims = [
        core.database.write(
            lambda unit, holder=holder: queue.claim(unit, "say", queue.FIRST, holder),  # type: ignore[misc]
            workspace=1,
        )
        for holder in HOLDERS
    ]
    claimed = await asyncio.gather(*claims)
    ids = [each.run.id for each in claimed if each is not None and each.run is not None]
    assert sorted(ids) == ["a", "b"]


async def test_what_was_scheduled_before_there_were_rows_waits_after_the_upgrade(
    core: Core, client: httpx.AsyncClient
) -> None:
    runs = {}
    for name, details in (("deferred", {"deferred": True}), ("not", {})):
        state = {"type": "SCHEDULED", "state_details": details}
        body = {"task_key": "say", "dynamic_key": name, "state": state}
        runs[name] = (await client.post("/api/task_runs/", json=body)).json()["id"]
    *_, fill = STATEMENTS

    async def upgrade_again(unit: Unit) -> None:
        await unit.run("delete from task_run_waiting")
        await unit.run(fill)

    await core.database.write(upgrade_again, workspace=None)
    [ahead] = await queue.ahead(core.database.read(1), ["say"])
    claimed = await core.database.write(
        lambda unit: queue.claim(unit, "say", queue.FIRST, "one"), workspace=1
    )
    assert ahead.first is not None
    assert claimed is not None
    assert claimed.run is not None
    assert claimed.run.id == runs["deferred"]
