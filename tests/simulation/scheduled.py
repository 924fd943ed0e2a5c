"""Schedules: every slot has exactly one run, and none in the past is made up."""

from __future__ import annotations

import sqlite3

from armillary.clock import from_micros
from tests.simulation.ledger import Ledger
from tests.simulation.moment import Moment

_SECOND = 1_000_000
_SOON = 70 * _SECOND
"""Within that time after a change of a schedule its runs must be there."""
_SET = 240 * _SECOND
"""Within that time after the clock was set they must, though a turn or two failed."""
_MOMENTS = """
select expected_start_time, count(*) from flow_run
where deployment_id = ? and auto_scheduled = 1 group by 1
"""
_TWICE = """
select deployment_id, schedule_id, expected_start_time, count(*) from flow_run
where auto_scheduled = 1 group by 1, 2, 3 having count(*) > 1
"""
_MADE_UP = """
select id, created, expected_start_time from flow_run
where auto_scheduled = 1 and expected_start_time < created
"""
_LEFT_OVER = """
select r.id from flow_run r left join deployment d on d.id = r.deployment_id
where r.auto_scheduled = 1 and r.state_name = 'Scheduled' and d.id is null
"""


def scheduled_wrongly(connection: sqlite3.Connection, ledger: Ledger, moment: Moment) -> list[str]:
    """Slots with no run, with two, or with one that was made after its time."""
    wrong = [
        f"{row[3]} runs of deployment {row[0]} were made for {from_micros(row[2])}"
        for row in connection.execute(_TWICE)
    ]
    wrong += [
        f"run {row[0]} was made at {from_micros(row[1])} for {from_micros(row[2])}"
        for row in connection.execute(_MADE_UP)
    ]
    wrong += [
        f"run {row[0]} is scheduled for a deployment that is gone"
        for row in connection.execute(_LEFT_OVER)
    ]
    if moment.true is None:
        return wrong
    ahead = moment.server - moment.true
    known_from = 0 if moment.set_at is None else moment.set_at + _SET
    for schedule in ledger.schedules.values():
        there = dict(connection.execute(_MOMENTS, (schedule.deployment_id,)))
        step = schedule.every * _SECOND
        first = -(-max(schedule.since + ahead + _SOON, known_from) // step) * step
        for slot in range(first, moment.server, step):
            # A slot that a clock put back lets come again belongs to another schedule by then.
            again = moment.set_at is not None and there.get(slot, 0) > 1
            if there.get(slot) != 1 and not again:
                wrong.append(
                    f"deployment {schedule.deployment_id} has {there.get(slot, 0)} runs for"
                    f" {from_micros(slot)}"
                )
    return wrong
