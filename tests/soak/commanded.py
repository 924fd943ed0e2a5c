"""What must hold of commands that agents ran: once each, all they said, and an end that is told."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.simulation.invariants import violations
from tests.simulation.ledger import Ledger
from tests.simulation.places import HERE
from tests.soak.checks import copied
from tests.soak.ledger import Acknowledged
from tests.soak.work import WORKS, begun, lines_of

_RUNS = """
select r.id, f.name, p.name, r.state_type, r.state_name, r.run_count,
  (select s.message from flow_run_state s where s.id = r.state_id),
  r.state_timestamp / 1000000.0
from flow_run r join flow f on f.id = r.flow_id
  left join work_queue q on q.id = r.work_queue_id left join work_pool p on p.id = q.work_pool_id
"""
_UNDER_WAY = """
select count(*) from flow_run where state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING')
"""
_SAID = "select flow_run_id, message from log where name = 'stdout'"

Noted: TypeAlias = Counter[tuple[str, int]]
Said: TypeAlias = Counter[tuple[str, str]]


@dataclass(frozen=True)
class Ran:
    """A run as it stands."""

    id: str
    work: str
    pool: str
    type: str
    name: str
    count: int
    message: str | None
    since: float
    """When it came to be as it is, in seconds since the epoch."""


@dataclass
class Evidence:
    """What the database tells of the runs, and what is wrong with it."""

    ran: list[Ran] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def told(self) -> str:
        """How many runs ended how."""
        return str(dict(Counter(f"{run.pool} {run.work} {run.name}" for run in self.ran)))


async def under_way(database_url: str) -> int:
    """How many runs have not ended, those that wait for their time too."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        copy = Path(folder) / "copy.db"
        await copied(database_url, copy)
        with contextlib.closing(sqlite3.connect(copy)) as rows:
            return int(rows.execute(_UNDER_WAY).fetchone()[0])


async def evidence(database_url: str, folder: Path, ledger: Acknowledged) -> Evidence:
    """Hold what is stored against what the commands themselves have noted."""
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        copy = Path(place) / "copy.db"
        await copied(database_url, copy)
        with contextlib.closing(sqlite3.connect(copy)) as rows:
            known = Ledger(flow_runs=dict.fromkeys(ledger.flow_runs, HERE), wrong=ledger.wrong)
            found = Evidence(wrong=violations(rows, known))
            found.ran = [Ran(*row) for row in rows.execute(_RUNS)]
            said = Counter(rows.execute(_SAID))
    found.wrong += wrong_with(found.ran, Counter(begun(folder)), said)
    return found


def wrong_with(ran: list[Ran], noted: Noted, said: Said) -> list[str]:
    """What is wrong with runs, by what was noted as they began, and what they have said."""
    return [sentence for look in _LOOKS for sentence in look(ran, noted, said)]


def _once(ran: list[Ran], noted: Noted, _: Said) -> list[str]:
    """No attempt at a run was made twice, and none that the server does not know of."""
    counts = {run.id: run.count for run in ran}
    return [
        *(f"attempt {attempt} at run {run} was begun {times} times"
          for (run, attempt), times in noted.items() if times > 1),
        *(f"attempt {attempt} at run {run} was begun, {counts.get(run)} are known"
          for run, attempt in noted if attempt > counts.get(run, 0)),
    ]  # fmt: skip


def _whole(ran: list[Ran], noted: Noted, said: Said) -> list[str]:
    """Of a run that was completed every line is there, of every attempt, and no line twice."""
    wrong = [f"{times} times in run {run}: {line}" for (run, line), times in said.items()
             if times > 1]  # fmt: skip
    for run in ran:
        if run.type != "COMPLETED":
            continue
        if not noted[run.id, run.count]:
            wrong.append(f"run {run.id} was completed and never begun")
        for attempt in range(1, run.count + 1):
            lines = lines_of(run.id, attempt, WORKS[run.work])
            missing = [line for line in lines if not said[run.id, line]]
            if missing:
                wrong.append(
                    f"{len(missing)} lines are missing of attempt {attempt} at run {run.id}"
                    f" ({run.work} in {run.pool}), the first is {missing[0]}"
                )
    return wrong


def _explained(ran: list[Ran], _: Noted, __: Said) -> list[str]:
    """Every run has ended, as its command did or with what is known of who left it."""
    ends = {"COMPLETED", "CRASHED"}
    wrong = [
        f"run {run.id} ({run.work} in {run.pool}) is {run.name}: {run.message}"
        for run in ran
        if run.type not in ends and (run.work, run.name) != ("hangs", "TimedOut")
    ]
    return wrong + [
        f"run {run.id} is Crashed, and nobody says why: {run.message}"
        for run in ran
        if run.type == "CRASHED" and "agent" not in (run.message or "").lower()
    ]


_LOOKS: tuple[Callable[[list[Ran], Noted, Said], list[str]], ...] = (_once, _whole, _explained)
