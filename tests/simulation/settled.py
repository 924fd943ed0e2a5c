"""What the services have done once everybody has been gone for long."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from armillary.clock import to_micros
from tests.simulation.ledger import Ledger
from tests.simulation.moment import Moment

_SECOND = 1_000_000
_A_TURN = 40 * _SECOND
_CANCELLING = 300 * _SECOND
_CHILDREN = """
select t.id, t.state_type from task_run t join flow_run r on r.id = t.flow_run_id
where r.state_type = 'CANCELLED' and not r.state_timestamp between ? and ?
  and t.state_type not in ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')
"""
_SUBFLOWS = """
select c.id, c.state_type from flow_run r
  join task_run t on t.flow_run_id = r.id join flow_run c on c.parent_task_run_id = t.id
where r.state_type = 'CANCELLED' and not r.state_timestamp between ? and ?
  and c.state_type not in ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')
"""
_PAUSED = """
select r.id, s.details from flow_run r join flow_run_state s on s.id = r.state_id
where r.state_type = 'PAUSED'
"""
_BUSY = (
    ("a worker is online", "select name from worker where status = 'ONLINE'"),
    ("a pool is ready", "select name from work_pool where status = 'READY'"),
    ("a queue is ready", "select name from work_queue where status = 'READY'"),
    ("a deployment is ready", "select id from deployment where status = 'READY'"),
)


def unsettled(connection: sqlite3.Connection, _: Ledger, moment: Moment) -> list[str]:
    """What should not be so any more."""
    if not moment.settled:
        return []
    now = moment.server
    wrong = [
        f"run {row[0]} waits, is not late, and was due at {row[1]}"
        for row in connection.execute(
            "select id, next_scheduled_start_time from flow_run where state_type = 'SCHEDULED'"
            " and state_name = 'Scheduled' and next_scheduled_start_time < ?",
            (now - _A_TURN,),
        )
    ]
    wrong += [
        f"run {row[0]} is being cancelled for ever"
        for row in connection.execute(
            "select id from flow_run where state_type = 'CANCELLING' and state_timestamp < ?",
            (now - _CANCELLING - _A_TURN,),
        )
    ]
    for run, details in connection.execute(_PAUSED):
        until = json.loads(details)["pause_timeout"]
        if to_micros(datetime.fromisoformat(until)) < now - _A_TURN:
            wrong.append(f"run {run} is paused, though only until {until}")
    wrong += [
        f"task run {row[0]} of a cancelled run is {row[1]}"
        for row in connection.execute(_CHILDREN, (now - _A_TURN, now))
    ]
    wrong += [
        f"subflow run {row[0]} of a cancelled run is {row[1]}"
        for row in connection.execute(_SUBFLOWS, (now - _A_TURN, now))
    ]
    for what, sql in _BUSY:
        wrong += [f"{what} with nobody left: {row[0]}" for row in connection.execute(sql)]
    unread = connection.execute(
        "select count(*) from outbox where topic = 'events'"
        " and event_id not in (select id from event)"
    ).fetchone()[0]
    if unread:
        wrong.append(f"{unread} events are not stored with nothing left to do")
    return wrong
