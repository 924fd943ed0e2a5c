"""Every query on agents and the runs they hold."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.clock import from_micros
from armillary.db.unit import Reader, Unit
from armillary.orchestration.states import StateType
from armillary_plugins.mark_crashed_runs.heartbeats import Known, Stored, let_go
from armillary_plugins.mark_crashed_runs.schemas import Agent, Heartbeat, HeldRun

_AGENT = "select session, host, pid, seen, draining from agent where workspace = ? and name = ?"
_HELD = "select flow_run_id, process from agent_run where session = ? and workspace = ?"
_STATES = "select id, state_type from flow_run where workspace = ? and id {in_list}"
_WRITE = """
insert into agent (workspace, name, session, host, pid, pools, slots, draining, started, seen)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (workspace, name) do update set host = excluded.host, pid = excluded.pid,
  pools = excluded.pools, slots = excluded.slots, draining = excluded.draining,
  seen = excluded.seen, session = excluded.session,
  started = case when agent.session = excluded.session then agent.started
    else excluded.started end
"""
_LEAVE = "delete from agent where workspace = ? and name = ? and session = ?"
_CLAIM = """
insert into agent_run (flow_run_id, workspace, agent, session, claim, process, since)
values (?, ?, ?, ?, ?, ?, ?)
on conflict (flow_run_id) do update set agent = excluded.agent, session = excluded.session,
  claim = excluded.claim, process = excluded.process, since = excluded.since
where agent_run.workspace = excluded.workspace
"""
_PROCESS = "update agent_run set process = ? where flow_run_id = ? and session = ?"
_LET_GO = "delete from agent_run where workspace = ? and session = ? and flow_run_id {in_list}"
_ALL = """
select name, host, pid, pools, slots, draining, started, seen,
  (select count(*) from agent_run r where r.session = agent.session)
from agent where workspace = ? order by name
"""
_FORSAKEN = """
select r.flow_run_id, r.workspace, r.agent, r.session, r.claim, r.process, a.host, a.pid, a.seen,
  a.session
from agent_run r left join agent a on a.workspace = r.workspace and a.name = r.agent
where a.session is null or a.session <> r.session or a.seen < ?
order by r.since, r.flow_run_id limit ?
"""
_STATE = """
select r.state_type, s.details, r.retry_type from flow_run r
  left join flow_run_state s on s.id = r.state_id
where r.id = ? and r.workspace = ? {lock_r}
"""
_FORGET = "delete from agent_run where flow_run_id = ? and session = ?"
_HEAR_NO_LATER = "update agent set seen = ? where seen > ?"
_FORGET_AGENTS = """
delete from agent where seen < ?
  and not exists (select 1 from agent_run r where r.session = agent.session)
"""
_encode = msgspec.json.Encoder().encode
_names = msgspec.json.Decoder(list[str]).decode


class Forsaken(msgspec.Struct, frozen=True, kw_only=True):
    """A run whose agent is gone, with what is known of either."""

    run_id: str
    workspace: int
    agent: str
    session: str
    claim: str
    process: int | None
    host: str | None
    pid: int | None
    seen: int | None
    restarted: bool


class Present(msgspec.Struct, frozen=True):
    """A run's state as it is now."""

    type: StateType | None
    transition: str | None
    retried_by_its_process: bool


class _Details(msgspec.Struct):
    transition_id: str | None = None


_details = msgspec.json.Decoder(_Details).decode


async def known(reader: Reader, beat: Heartbeat) -> Known:
    """Look up what is stored of an agent and of the runs it holds."""
    row = await reader.one(_AGENT, reader.workspace, beat.name)
    held = {
        each[0]: each[1] for each in await reader.all(_HELD, str(beat.session), reader.workspace)
    }
    runs = _encode([str(run.id) for run in beat.runs]).decode()
    states = await reader.all(_STATES, reader.workspace, runs) if beat.runs else []
    return Known(
        agent=None
        if row is None
        else Stored(session=row[0], host=row[1], pid=row[2], seen=row[3], draining=bool(row[4])),
        held=held,
        states={each[0]: each[1] and StateType(each[1]) for each in states},
    )


async def write(unit: Unit, beat: Heartbeat, known: Known) -> None:
    """Write down that an agent was heard of, and what it holds."""
    session, now = str(beat.session), unit.micros
    for run in beat.runs:
        if known.held.get(str(run.id), run.process) != run.process:
            await unit.run(_PROCESS, run.process, str(run.id), session)
    gone = let_go(beat, known.held)
    if gone:
        await unit.run(_LET_GO, unit.workspace, session, _encode(gone).decode())
    for claim in await _of_workspace(unit, beat.claiming):
        await unit.run(
            _CLAIM, str(claim.id), unit.workspace, beat.name, session, str(claim.claim),
            claim.process, now,
        )  # fmt: skip
    if beat.leaving:
        await unit.run(_LEAVE, unit.workspace, beat.name, session)
        return
    await unit.run(
        _WRITE, unit.workspace, beat.name, session, beat.host, beat.pid,
        _encode(beat.pools).decode(), beat.slots, int(beat.draining), now, now,
    )  # fmt: skip


async def _of_workspace(unit: Unit, claims: Sequence[HeldRun]) -> list[HeldRun]:
    if not claims:
        return []
    ids = _encode([str(claim.id) for claim in claims]).decode()
    there = {row[0] for row in await unit.all(_STATES, unit.workspace, ids)}
    return [claim for claim in claims if str(claim.id) in there]


async def agents(reader: Reader, *, since: int) -> list[Agent]:
    """List the agents of the workspace; those heard of ``since`` then are alive."""
    return [
        Agent(
            name=row[0],
            host=row[1],
            pid=row[2],
            pools=_names(row[3]),
            slots=row[4],
            draining=bool(row[5]),
            started=from_micros(row[6]),
            last_heard_of=from_micros(row[7]),
            alive=row[7] >= since,
            runs=row[8],
        )
        for row in await reader.all(_ALL, reader.workspace)
    ]


async def forsaken(reader: Reader, since: int, *, limit: int) -> list[Forsaken]:
    """Find runs whose agent was not heard of ``since`` then, or was started anew."""
    return [
        Forsaken(
            run_id=row[0],
            workspace=row[1],
            agent=row[2],
            session=row[3],
            claim=row[4],
            process=row[5],
            host=row[6],
            pid=row[7],
            seen=row[8],
            restarted=row[9] is not None and row[9] != row[3],
        )
        for row in await reader.all(_FORSAKEN, since, limit)
    ]


async def present(unit: Unit, run_id: str) -> Present | None:
    """Look at a run's state, and keep others from changing it; None where it is gone."""
    row = await unit.one(_STATE, run_id, unit.workspace)
    if row is None:
        return None
    return Present(
        type=row[0] and StateType(row[0]),
        transition=None if row[1] is None else _details(row[1]).transition_id,
        retried_by_its_process=row[2] == "in_process",
    )


async def forget(unit: Unit, run: Forsaken) -> None:
    """Forget that a session holds a run."""
    await unit.run(_FORGET, run.run_id, run.session)


async def hear_no_later(unit: Unit, now: int) -> None:
    """Take back to now when agents were heard of that were heard of later."""
    await unit.run(_HEAR_NO_LATER, now, now)


async def forget_agents(unit: Unit, before: int) -> int:
    """Forget agents that were not heard of since then and hold nothing."""
    return await unit.run(_FORGET_AGENTS, before)
