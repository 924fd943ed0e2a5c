"""The rows of jobs: every statement that changes one.

Who changes the row of a job under way says which attempt it means, so that a worker that was
taken for dead and wakes up again changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from armillary.db.filters import json_list
from armillary.db.unit import Emitted, Reader, Row, Unit
from armillary.errors import Busy
from armillary.jobs import TOPIC, Wanted

KEPT = 3_600_000_000
"""Microseconds for which a job that is done can still be seen."""
LEASE = 60_000_000
"""Microseconds after the last word of its worker after which a job is taken up again."""
ROOM = 10_000
"""Jobs of a queue that may be due and wait."""

_INSERT = """
insert into job (id, queue, key, workspace, job, arguments, state, group_key, created, scheduled,
  attempts, attempts_allowed, progress) values (?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?, 0, ?, 0)
on conflict (queue, key) do update set id = excluded.id, workspace = excluded.workspace,
  job = excluded.job, arguments = excluded.arguments, state = excluded.state,
  group_key = excluded.group_key, created = excluded.created, scheduled = excluded.scheduled,
  attempts = 0, attempts_allowed = excluded.attempts_allowed, progress = 0, note = null,
  error = null, worker = null, started = null, touched = null, deadline = null, ended = null,
  expires = null
where job.state in ('done', 'aborted')
"""
_FULL = """
select 1 from job where queue = ? and state = 'waiting' and scheduled <= ? limit 1 offset ?
"""
# A job whose group is at work is passed over, so that it keeps nobody else from being claimed.
_CLAIM = """
update job set state = 'active', attempts = attempts + 1, started = ?, touched = ?, deadline = ?,
  worker = ?
where id = (
  select w.id from job w where w.queue = ? and w.state = 'waiting' and w.scheduled <= ?
    and (w.group_key is null or not exists (
      select 1 from job g
      where g.queue = w.queue and g.group_key = w.group_key and g.state = 'active'))
  order by w.scheduled, w.id limit 1 {skip_locked})
returning id, key, job, arguments, workspace, attempts, attempts_allowed
"""
_BEAT = "update job set touched = ?, deadline = ? where worker = ? and id {in_list}"
_GET_ON = """
update job set touched = ?, deadline = ?, progress = ?, note = coalesce(?, note)
where id = ? and state = 'active' and attempts = ?
"""
_BEGIN = """
update job set worker = ?, touched = ?, deadline = ?, started = ?
where id = ? and state = 'active' and attempts = ?
"""
_HELD = "select id from job where queue = ? and state = 'active' and worker = ?"
_END = """
update job set state = ?, error = ?, ended = ?, expires = ?, progress = ?, worker = null,
  deadline = null, touched = ?
where id = ? and state = 'active' and attempts = ?
"""
_AGAIN = """
update job set state = 'waiting', error = ?, scheduled = ?, attempts = attempts - ?, worker = null,
  deadline = null, touched = ?
where id = ? and state = 'active' and attempts = ?
"""
_TAKE_UP = """
update job set
  state = case when attempts >= attempts_allowed then 'dead' else 'waiting' end,
  ended = case when attempts >= attempts_allowed then cast(? as bigint) end,
  error = ?, scheduled = ?, worker = null, deadline = null
where queue = ? and state = 'active'
"""
_OVERDUE = _TAKE_UP + " and deadline < ? and not id {in_list}"
_OF_OTHERS = _TAKE_UP + " and worker <> ?"
_GIVE_BACK = """
update job set state = 'waiting', attempts = attempts - 1, scheduled = ?, worker = null,
  deadline = null
where queue = ? and worker = ? and state = 'active'
"""
_RETRY = """
update job set state = 'waiting', attempts = 0, scheduled = ?, ended = null
where id = ? and workspace = ? and state = 'dead'
"""
_DISCARD = "delete from job where id = ? and workspace = ? and state = 'dead'"
_DEAD = """
select count(*) from (
  select 1 from job where workspace in (select key from workspace) and state = 'dead' limit ?) dead
"""
_ABORT = """
update job set state = 'aborted', error = ?, ended = ?, expires = ?, worker = null, deadline = null
where queue = ? and key = ? and state in ('waiting', 'active')
"""
_EXPIRED = "select id from job where expires <= ? order by expires limit 200"
_FORGET = "delete from job where id {in_list}"
_AHEAD = """
select (select min(scheduled) from job where queue = ? and state = 'waiting'),
  (select min(deadline) from job where queue = ? and state = 'active'),
  (select min(expires) from job where expires is not null)
"""
_DIED = "The worker that did it is gone."
_encode = msgspec.json.Encoder().encode


class Claimed(msgspec.Struct, frozen=True):
    """A job that a worker holds."""

    id: str
    key: str
    job: str
    arguments: str
    workspace: int
    attempts: int
    attempts_allowed: int


class Attempt(msgspec.Struct, frozen=True):
    """A job as one worker knows it."""

    job_id: str
    number: int


async def enqueue(unit: Unit, wanted: Wanted, *, workspace: int | None = None) -> bool:
    """Have a job done if and once this unit is committed; False if there is one of its key.

    Busy if too many wait already.
    """
    if not wanted.start and await unit.one(_FULL, wanted.queue, unit.micros, ROOM - 1) is not None:
        message = f"{ROOM} jobs of {wanted.queue} wait already: try again later."
        raise Busy(message)
    workspace = unit.workspace if workspace is None else workspace
    added = await unit.run(
        _INSERT, wanted.id, wanted.queue, wanted.key, workspace, wanted.job,
        _encode(wanted.arguments).decode(), wanted.group, unit.micros,
        wanted.start or unit.micros, wanted.attempts,
    )  # fmt: skip
    if added:
        wake(unit, wanted.queue, wanted.id, workspace=workspace)
    return bool(added)


def wake(unit: Unit, queue: str, job_id: str, *, workspace: int) -> None:
    """Let the workers of a queue look once this unit is committed."""
    unit.emit(Emitted(TOPIC, f"job {job_id}", queue), workspace=workspace)


async def claim(unit: Unit, queue: str, worker: str) -> Claimed | None:
    """Take the job that has waited longest of those that may be done now."""
    now = unit.micros
    rows = await unit.all(_CLAIM, now, now, now + LEASE, worker, queue, now)
    return Claimed(*rows[0]) if rows else None


async def beat(unit: Unit, worker: str, held: Collection[str]) -> None:
    """Prolong what a living worker holds."""
    await unit.run(_BEAT, unit.micros, unit.micros + LEASE, worker, json_list(held))


async def begin(unit: Unit, attempt: Attempt, worker: str) -> bool:
    """Hold a job that somebody else has claimed; False if it is not this attempt's any more."""
    now = unit.micros
    about = (attempt.job_id, attempt.number)
    return bool(await unit.run(_BEGIN, worker, now, now + LEASE, now, *about))


async def held_by(reader: Reader, queue: str, worker: str) -> set[str]:
    """Find what a worker holds."""
    return {row[0] for row in await reader.all(_HELD, queue, worker)}


async def get_on(unit: Unit, attempt: Attempt, *, progress: float, note: str | None) -> bool:
    """Say how far a job is; False if it is not this attempt's any more."""
    now = unit.micros
    about = (attempt.job_id, attempt.number)
    return bool(await unit.run(_GET_ON, now, now + LEASE, progress, note, *about))


async def end(
    unit: Unit, attempt: Attempt, state: str, *, error: str | None, progress: float
) -> bool:
    """Say what a job came to; False if it is not this attempt's any more."""
    now = unit.micros
    expires = None if state == "dead" else now + KEPT
    about = (attempt.job_id, attempt.number)
    return bool(await unit.run(_END, state, error, now, expires, progress, now, *about))


async def again(
    unit: Unit, attempt: Attempt, *, error: str | None, after: int, counted: bool
) -> bool:
    """Let a job be done again after so many microseconds; False as above."""
    now = unit.micros
    about = (attempt.job_id, attempt.number)
    return bool(await unit.run(_AGAIN, error, now + after, int(not counted), now, *about))


async def take_up_overdue(unit: Unit, queue: str, held: Collection[str]) -> int:
    """Take up again what nobody has prolonged, except what is held here."""
    now = unit.micros
    return await unit.run(_OVERDUE, now, _DIED, now, queue, now, json_list(held))


async def take_up_of_others(unit: Unit, queue: str, worker: str) -> int:
    """Take up again what others held: they are dead where this process is the only one."""
    return await unit.run(_OF_OTHERS, unit.micros, _DIED, unit.micros, queue, worker)


async def give_back(unit: Unit, queue: str, worker: str) -> int:
    """Let go of all that a worker holds, as if it had never begun."""
    return await unit.run(_GIVE_BACK, unit.micros, queue, worker)


async def retry(unit: Unit, job_id: str) -> bool:
    """Begin a dead job anew; False if there is no such job in the workspace."""
    row = await unit.one("select queue from job where id = ?", job_id)
    if row is None or not await unit.run(_RETRY, unit.micros, job_id, unit.workspace):
        return False
    wake(unit, row[0], job_id, workspace=unit.workspace)
    return True


async def discard(unit: Unit, job_id: str) -> bool:
    """Forget a dead job; False if there is no such job in the workspace."""
    return bool(await unit.run(_DISCARD, job_id, unit.workspace))


async def abort(unit: Unit, queue: str, key: str, error: str) -> bool:
    """Have a job not done, or what it came to not counted; False if there is none."""
    now = unit.micros
    return bool(await unit.run(_ABORT, error, now, now + KEPT, queue, key))


async def expired(reader: Reader, now: int) -> list[str]:
    """Find some jobs that have been seen long enough."""
    return [row[0] for row in await reader.all(_EXPIRED, now)]


async def forget(unit: Unit, ids: Sequence[str]) -> None:
    """Delete jobs."""
    await unit.run(_FORGET, json_list(ids))


class Ahead(msgspec.Struct, frozen=True):
    """What comes next in a queue: moments in microseconds, None for never."""

    due: int | None
    deadline: int | None
    expiry: int | None


async def ahead(reader: Reader, queue: str) -> Ahead:
    """Look what comes next: three keys of three indexes."""
    row = await reader.one(_AHEAD, queue, queue)
    return Ahead(None, None, None) if row is None else Ahead(*row)


async def count_dead(reader: Reader, *, most: int) -> int:
    """Count dead jobs of all workspaces, up to a number."""
    row = await reader.one(_DEAD, most)
    return 0 if row is None else int(row[0])


async def rows_by_key(reader: Reader, queue: str, keys: Collection[str]) -> Sequence[Row]:
    """Read jobs by their keys."""
    return await reader.all(
        "select id, key, job, arguments, state, attempts, attempts_allowed, progress, error "
        "from job where queue = ? and key {in_list}",
        queue,
        json_list(keys),
    )
