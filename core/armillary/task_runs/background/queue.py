"""The rows of task runs that wait for a worker of their task: every statement about them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.clock import to_micros
from armillary.db.filters import json_list
from armillary.db.unit import Emitted, Reader, Unit
from armillary.orchestration.states import State, StateType
from armillary.task_runs.background import TOPIC
from armillary.task_runs.loading import Loaded
from armillary.task_runs.repository import read_task_run
from armillary.task_runs.schemas import TaskRun

HOLD = 15_000_000
"""Microseconds after the last word of whoever holds a row after which it waits again."""
AGAIN, FIRST = 0, 1
"""The turns: what was given back or is tried again goes before what is new."""
_SKIPPED = 50
"""Rows of runs that wait no longer, thrown away in one claim at most."""

_WAIT = """
insert into task_run_waiting (task_run_id, workspace, task_key, turn, available)
values (?, ?, ?, ?, ?)
on conflict (task_run_id) do update set turn = excluded.turn, available = excluded.available,
  holder = null
"""
_FORGET = "delete from task_run_waiting where task_run_id = ?"
_OF_KEY = """
(select min(w.available) from task_run_waiting w
  where w.workspace = ? and w.task_key = value and w.turn = {turn})
"""
_AHEAD = f"""
select value, {_OF_KEY.replace("{turn}", "0")}, {_OF_KEY.replace("{turn}", "1")} from {{each}}
"""
_CLAIM = """
update task_run_waiting set holder = ?, turn = 0, available = ?
where task_run_id = (
  select task_run_id from task_run_waiting
  where workspace = ? and task_key = ? and turn = ? and available <= ?
  order by available, task_run_id limit 1 {skip_locked})
returning task_run_id
"""
_ACKNOWLEDGE = "delete from task_run_waiting where task_run_id = ? and holder = ?"
_PROLONG = "update task_run_waiting set available = ? where task_run_id = ? and holder = ?"
_GIVE_BACK = """
update task_run_waiting set available = ?, turn = 0, holder = null
where task_run_id = ? and holder = ? returning task_key
"""


class Ahead(msgspec.Struct, frozen=True):
    """What waits under one key: when the next row of each turn may be handed out, None if none."""

    key: str
    again: int | None
    first: int | None

    def turn(self, now: int) -> int | None:
        """Say which turn has a row that may be handed out now."""
        if self.again is not None and self.again <= now:
            return AGAIN
        return FIRST if self.first is not None and self.first <= now else None

    @property
    def due(self) -> int | None:
        """When there may be something."""
        return min((each for each in (self.again, self.first) if each is not None), default=None)


class Claimed(msgspec.Struct, frozen=True):
    """A run that a subscriber holds, or None where the rows met were of runs that wait no more."""

    run: TaskRun | None


async def follow(unit: Unit, loaded: Loaded, now: State) -> None:
    """Let a run wait for a worker once its state says so, and no longer than that."""
    before, run_id = loaded.state, loaded.facts.id
    if now.type is StateType.SCHEDULED and now.details.deferred:
        await _wait(unit, run_id, loaded.workspace, now)
    elif before is not None and before.type is StateType.SCHEDULED and before.details.deferred:
        await unit.run(_FORGET, run_id)


async def _wait(unit: Unit, run_id: str, workspace: int, state: State) -> None:
    """Queue a run: at once, whatever time its client put into the state, as clients expect.

    The time of an attempt that comes later is heeded.
    """
    turn, available = FIRST, unit.micros
    if state.name == "AwaitingRetry":
        turn = AGAIN
        if state.details.scheduled_time is not None:
            available = max(available, to_micros(state.details.scheduled_time))
    key = await unit.value("select task_key from task_run where id = ?", run_id)
    await unit.run(_WAIT, run_id, workspace, key, turn, available)
    wake(unit, run_id, key, workspace)


def wake(unit: Unit, run_id: str, key: str, workspace: int) -> None:
    """Let somebody who waits for runs of a task look, once this is committed."""
    unit.emit(Emitted(TOPIC, run_id, key), workspace=workspace)


async def ahead(reader: Reader, keys: Sequence[str]) -> list[Ahead]:
    """Look what waits under some keys: two ends of an index for each."""
    rows = await reader.all(_AHEAD, reader.workspace, reader.workspace, json_list(keys))
    return [Ahead(*row) for row in rows]


async def claim(unit: Unit, key: str, turn: int, holder: str) -> Claimed | None:
    """Hold the row that has waited longest in a turn; None if somebody else was faster."""
    now = unit.micros
    for _ in range(_SKIPPED):
        rows = await unit.all(_CLAIM, holder, now + HOLD, unit.workspace, key, turn, now)
        if not rows:
            return None
        run_id = rows[0][0]
        run = await read_task_run(unit, run_id, now=now)
        if run is not None and run.state_type == StateType.SCHEDULED:
            return Claimed(run)
        await unit.run(_FORGET, run_id)
    return Claimed(None)


async def acknowledge(unit: Unit, run_id: str, holder: str) -> bool:
    """Forget a row that is held, because its worker has the run; False if it was taken away."""
    return bool(await unit.run(_ACKNOWLEDGE, run_id, holder))


async def prolong(unit: Unit, run_id: str, holder: str) -> bool:
    """Hold on to a row; False if it was taken away."""
    return bool(await unit.run(_PROLONG, unit.micros + HOLD, run_id, holder))


async def give_back(unit: Unit, run_id: str, holder: str) -> None:
    """Let a row that is held wait again, before those that are new."""
    for (key,) in await unit.all(_GIVE_BACK, unit.micros, run_id, holder):
        wake(unit, run_id, key, unit.workspace)
