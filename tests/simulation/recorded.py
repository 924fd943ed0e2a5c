"""Task runs made of events: every state that was told is there once, the newest is shown."""

from __future__ import annotations

import sqlite3

from tests.simulation.ledger import Ledger
from tests.simulation.moment import Moment

_STATES = """
select s.id, s.type, s.timestamp, t.flow_run_id, t.task_key, t.workspace
from task_run_state s join task_run t on t.id = s.task_run_id
"""
_HEADS = """
select t.id, t.state_id, t.state_type, t.state_timestamp, t.run_count,
  (select max(s.timestamp) from task_run_state s where s.task_run_id = t.id),
  (select h.type from task_run_state h where h.id = t.state_id and h.task_run_id = t.id)
from task_run t
"""
_TWICE = """
select flow_run_id, task_key, dynamic_key, count(*) from task_run
where flow_run_id is not null group by 1, 2, 3 having count(*) > 1
"""
_UNLIKE = """
select t.id, t.state_type, r.id, r.state_type
from flow_run r join task_run t on t.id = r.parent_task_run_id
where t.state_type <> r.state_type and not exists (
  select 1 from flow_run o where o.parent_task_run_id = t.id and o.id <> r.id)
"""
_LEFT = """
select s.id from task_run_state s left join task_run t on t.id = s.task_run_id where t.id is null
"""
_LEFT_BEHIND = """
select t.id from task_run t left join flow_run r on r.id = t.flow_run_id
where t.flow_run_id is not null and r.id is null
"""


def recorded_wrongly(connection: sqlite3.Connection, ledger: Ledger, _: Moment) -> list[str]:
    """Task runs and their states that are not what was told."""
    wrong = [f"task run {row[0:3]} is there {row[3]} times" for row in connection.execute(_TWICE)]
    wrong += [f"task run state {row[0]} is of no task run" for row in connection.execute(_LEFT)]
    wrong += [
        f"task run {row[0]} is of a flow run that is gone"
        for row in connection.execute(_LEFT_BEHIND)
    ]
    # One that was called again shows the later call's states, also once that is deleted.
    stood = {task for run, task in ledger.standing.items() if run in ledger.doomed}
    wrong += [
        f"task run {row[0]} is {row[1]}, subflow run {row[2]}, which it stands for, is {row[3]}"
        for row in connection.execute(_UNLIKE)
        if row[0] not in stood
    ]
    wrong += _told(connection, ledger)
    for run, state_id, kind, stamp, count, newest, shown in connection.execute(_HEADS):
        if stamp != newest or shown != kind:
            wrong.append(f"task run {run} shows {kind} of {stamp}, its newest state is {newest}")
        report = ledger.reported.get(state_id)
        if report is not None and report.run_count != count:
            wrong.append(f"task run {run} counts {count} runs, its newest event {report.run_count}")
    return wrong


def _told(connection: sqlite3.Connection, ledger: Ledger) -> list[str]:
    states = {row[0]: row[1:] for row in connection.execute(_STATES)}
    runs = {row[0] for row in connection.execute("select id from flow_run")}
    wrong = []
    for event_id, report in sorted(ledger.reported.items()):
        state = states.get(event_id)
        if state is None:
            if event_id in ledger.durable and report.flow_run_id in runs:
                wrong.append(f"event {event_id} was acknowledged and is no task run state")
            continue
        expected = (report.kind, report.occurred, report.flow_run_id, report.place.key)
        if (state[0], state[1], state[2], state[4]) != expected:
            wrong.append(f"event {event_id} was recorded as {state}, it told {expected}")
    return wrong
