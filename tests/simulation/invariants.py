"""What must hold after every kill and at the end, said as a reader would want it."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from tests.simulation.belonging import mixed_up
from tests.simulation.commanding import commanded_wrongly
from tests.simulation.held import held_wrongly
from tests.simulation.jobs import as_readers_see, jobs_wrongly
from tests.simulation.ledger import Ledger
from tests.simulation.moment import Moment
from tests.simulation.recorded import recorded_wrongly
from tests.simulation.repeated import repeated_wrongly
from tests.simulation.scheduled import scheduled_wrongly
from tests.simulation.settled import unsettled
from tests.simulation.told import told_wrongly

_TERMINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
_LOOKS = (
    mixed_up,
    commanded_wrongly,
    held_wrongly,
    jobs_wrongly,
    recorded_wrongly,
    repeated_wrongly,
    scheduled_wrongly,
    told_wrongly,
    unsettled,
)
_NOT_AFTER = {
    "SCHEDULED": {"PAUSED"},
    "PENDING": {"PAUSED"},
    "RUNNING": {"PENDING"},
    "PAUSED": {"PENDING", "PAUSED"},
    "CANCELLING": {"SCHEDULED", "PENDING", "RUNNING", "PAUSED", "COMPLETED", "FAILED"},
    **{kind: {"PENDING", "PAUSED", "CANCELLING"} for kind in _TERMINAL},
}
"""What the chart has no line for; CRASHED and CANCELLED can be forced."""


def onlooker(file: Path) -> sqlite3.Connection:
    """A connection that only looks.

    Where it stays open, the write-ahead log of a killed server stays where it is, as after a real
    kill; otherwise the last connection that is closed would tidy it up.
    """
    return sqlite3.connect(f"file:{file}?mode=ro", uri=True)


def violations(rows: sqlite3.Connection, ledger: Ledger, moment: Moment | None = None) -> list[str]:
    """Everything that is not as it must be, in words; looked up in the rows themselves."""
    with as_readers_see(rows):
        found = [*ledger.wrong, *_acknowledged(rows, ledger), *_histories(rows, ledger)]
        for look in _LOOKS:
            found += look(rows, ledger, moment or Moment())
    return found


def _acknowledged(connection: sqlite3.Connection, ledger: Ledger) -> list[str]:
    """What was acknowledged is there."""
    runs = {row[0] for row in connection.execute("select id from flow_run")}
    states = dict(connection.execute("select id, flow_run_id from flow_run_state"))
    ends = set(connection.execute("select flow_run_id, type from flow_run_state"))
    lines = {row[0] for row in connection.execute("select message from log")}
    deployments = {row[0] for row in connection.execute("select id from deployment")}
    return [
        *(
            f"flow run {run} was acknowledged and is gone"
            for run in sorted(ledger.flow_runs.keys() - runs)
            if not ledger.may_be_gone(run)
        ),
        *(
            f"state {state} of run {run} was acknowledged and is gone"
            for state, run in sorted(ledger.states.items())
            if states.get(state) != run and (run in runs or not ledger.may_be_gone(run))
        ),
        *(
            f"run {run} was acknowledged as {kind} and never was"
            for run, kind in sorted(ledger.finished.items())
            if (run, kind) not in ends and (run in runs or not ledger.may_be_gone(run))
        ),
        *(
            f"line {line} of run {run} was acknowledged and is gone"
            for line, run in sorted(ledger.lines.items())
            if line not in lines and run in runs
        ),
        *(
            f"deployment {deployment} was acknowledged and is gone"
            for deployment in sorted(ledger.deployments.keys() - deployments)
        ),
    ]


def _histories(connection: sqlite3.Connection, ledger: Ledger) -> list[str]:
    """The history of states explains every run, and no run is claimed twice."""
    wrong = []
    histories: dict[str, list[tuple[str, str, str, int]]] = defaultdict(list)
    for run, state, kind, name, moment in connection.execute(
        "select flow_run_id, id, type, name, timestamp from flow_run_state order by timestamp"
    ):
        histories[run].append((state, kind, name, moment))
    for run, state_id, kind in connection.execute("select id, state_id, state_type from flow_run"):
        history = histories.pop(run, [])
        if not history or (history[-1][0], history[-1][1]) != (state_id, kind):
            wrong.append(f"run {run} is {kind}, its history ends with {history[-1:]}")
        moments = [entry[3] for entry in history]
        if len(set(moments)) != len(moments):
            wrong.append(f"run {run} was in two states at one moment")
        for (_, before, _, _), (_, after, name, _) in pairwise(history):
            if after in _NOT_AFTER.get(before, ()):
                wrong.append(f"run {run} went from {before} to {after}")
            if before == after == "PENDING" and name == "Pending":
                wrong.append(f"run {run} was claimed twice")
        claims = [entry[0] for entry in history if entry[0] in ledger.claims.get(run, ())]
        if len(claims) != len(ledger.claims.get(run, ())):
            wrong.append(f"run {run} was given to two workers by one state")
    wrong += [f"there are states of run {run}, which is gone" for run in sorted(histories)]
    return wrong
