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
_HELD = """
select flow_run_id, process, given_up from agent_run where session = ? and workspace = ?
"""
_CLAIMED = """
(select s.details from flow_run_state s where s.flow_run_id = r.id and s.type = 'PENDING'
  order by s.timestamp desc limit 1)
"""
_UNDER_WAY = """
(r.state_type in ('PENDING', 'RUNNING', 'CANCELLING')
  or r.state_type = 'SCHEDULED' and r.retry_type = 'in_process')
"""
_STATES = f"""
select r.id, r.state_type, {_CLAIMED} from flow_run r where r.workspace = ? and r.id {{in_list}}
"""
_THERE = "select id from flow_run where workspace = ? and id {in_list}"
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
on conflict (flow_run_id, session) do update set agent = excluded.agent,
  claim = excluded.claim, process = excluded.process, since = excluded.since, given_up = null
where agent_run.workspace = excluded.workspace
"""
_PROCESS = "update agent_run set process = ? where flow_run_id = ? and session = ?"
_LET_GO = f"""
delete from agent_run where workspace = ? and session = ? and flow_run_id {{in_list}}
  and not exists (select 1 from flow_run r where r.id = agent_run.flow_run_id and {_UNDER_WAY})
"""
_LET_GO_TOO_EARLY = """
update agent_run set given_up = ?
where workspace = ? and session = ? and flow_run_id {in_list} and given_up is null
"""
_ALL = """
select name, host, pid, pools, slots, draining, started, seen,
  (select count(*) from agent_run r where r.session = agent.session and r.given_up is null)
from agent where workspace = ? order by name
"""
_FORSAKEN = f"""
select h.flow_run_id, h.workspace, h.agent, h.session, h.claim, h.process, h.given_up,
  a.host, a.pid, a.seen, a.session
from agent_run h join flow_run r on r.id = h.flow_run_id and r.workspace = h.workspace
  left join agent a on a.workspace = h.workspace and a.name = h.agent
where (h.given_up is not null or a.session is null or a.session <> h.session or a.seen < ?)
  and {_UNDER_WAY}
order by h.since, h.flow_run_id limit ?
"""
_STATE = f"""
select r.state_type, r.retry_type, {_CLAIMED} from flow_run r
where r.id = ? and r.workspace = ? {{lock_r}}
"""
_GIVE_UP = """
update agent_run set given_up = ? where flow_run_id = ? and session = ? and claim = ?
"""
_FORGET = "delete from agent_run where flow_run_id = ? and session = ? and claim = ?"
_HEAR_NO_LATER = "update agent set seen = ? where seen > ?"
_FORGET_HOLDS = f"""
delete from agent_run where since < ?
  and not exists (select 1 from agent a
    where a.workspace = agent_run.workspace and a.session = agent_run.session and a.seen >= ?)
  and not exists (select 1 from flow_run r
    where r.id = agent_run.flow_run_id and {_UNDER_WAY})
"""
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
    given_up: bool
    """Whether its agent lives and speaks of it no more, or was given up before."""
    host: str | None
    pid: int | None
    seen: int | None
    restarted: bool


class Present(msgspec.Struct, frozen=True):
    """A run's state as it is now."""

    type: StateType | None
    retried_by_its_process: bool
    claim: str | None
    """The transition by which it was claimed last."""


class _Details(msgspec.Struct):
    transition_id: str | None = None


_details = msgspec.json.Decoder(_Details).decode


async def known(reader: Reader, beat: Heartbeat) -> Known:
    """Look up what is stored of an agent and of the runs it holds."""
    row = await reader.one(_AGENT, reader.workspace, beat.name)
    held = await reader.all(_HELD, str(beat.session), reader.workspace)
    runs = _encode([str(run.id) for run in beat.runs]).decode()
    states = await reader.all(_STATES, reader.workspace, runs) if beat.runs else []
    return Known(
        agent=None
        if row is None
        else Stored(session=row[0], host=row[1], pid=row[2], seen=row[3], draining=bool(row[4])),
        held={each[0]: each[1] for each in held if each[2] is None},
        given_up=[each[0] for each in held if each[2] is not None],
        states={each[0]: each[1] and StateType(each[1]) for each in states},
        claims={each[0]: _transition(each[2]) for each in states},
    )


async def write(unit: Unit, beat: Heartbeat, known: Known) -> None:
    """Write down that an agent was heard of, and what it holds."""
    session, now = str(beat.session), unit.micros
    for run in beat.runs:
        if known.held.get(str(run.id), run.process) != run.process:
            await unit.run(_PROCESS, run.process, str(run.id), session)
    gone = let_go(beat, known)
    if gone:
        runs = _encode(gone).decode()
        await unit.run(_LET_GO, unit.workspace, session, runs)
        await unit.run(_LET_GO_TOO_EARLY, now, unit.workspace, session, runs)
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
    there = {row[0] for row in await unit.all(_THERE, unit.workspace, ids)}
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
    """Find runs under way that nobody looks after.

    Their agent was not heard of ``since`` then, was started anew, or speaks of them no more.
    """
    return [
        Forsaken(
            run_id=row[0],
            workspace=row[1],
            agent=row[2],
            session=row[3],
            claim=row[4],
            process=row[5],
            given_up=row[6] is not None,
            host=row[7],
            pid=row[8],
            seen=row[9],
            restarted=row[10] is not None and row[10] != row[3],
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
        retried_by_its_process=row[1] == "in_process",
        claim=_transition(row[2]),
    )


def _transition(details: str | None) -> str | None:
    return None if details is None else _details(details).transition_id


async def give_up(unit: Unit, run: Forsaken) -> None:
    """Tell a session that speaks of a run that it has lost it; what it still does is undone."""
    await unit.run(_GIVE_UP, unit.micros, run.run_id, run.session, run.claim)


async def forget(unit: Unit, run: Forsaken) -> None:
    """Forget that a session holds a run."""
    await unit.run(_FORGET, run.run_id, run.session, run.claim)


async def hear_no_later(unit: Unit, now: int) -> None:
    """Take back to now when agents were heard of that were heard of later."""
    await unit.run(_HEAR_NO_LATER, now, now)


async def forget_agents(unit: Unit, before: int) -> None:
    """Forget agents that were not heard of since then, and what they held."""
    await unit.run(_FORGET_HOLDS, before, before)
    await unit.run(_FORGET_AGENTS, before)
