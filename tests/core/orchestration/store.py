"""The unit of work of a case: an empty SQLite in memory, with the limits and leases it tells of.

    limits    l=1/2 tag:db=0/1     slots taken and allowed, by the limit's name; `l=0/2:inactive`
    past      one two              transition ids of states the run has had
    leases    lease=+300s          leases of the run, each on a slot of every limit; `never` ends

What has changed of them is told afterwards.  A new lease is called `new`.
"""

import re
import sqlite3
from datetime import datetime
from uuid import UUID

import msgspec

from armillary.clock import from_micros, to_micros
from armillary.concurrency import leases, limits, slots
from armillary.db.dialect import Dialect
from armillary.db.sqlite_writer import SqliteUnit
from armillary.orchestration.states import State
from armillary_migrations.core.m0001_create import STATEMENTS
from tests.core.orchestration.vocabulary import NOW, named, read, show, words

_NEEDED = re.compile(r" concurrency_l|table flow_run_state ")
_STATE = "insert into flow_run_state values (?, 'r', 'RUNNING', 'Running', ?, null, null, ?)"
_TABLES = [Dialect.SQLITE.sql(text) for text in STATEMENTS if _NEEDED.search(text)]


class Store(SqliteUnit):
    """Stands for the unit of work: what is cached, what is held, and what rules did to it."""

    def __init__(self, given: dict[str, str], *, cached: State | None, holder: str) -> None:
        connection = sqlite3.connect(":memory:")
        for statement in _TABLES:
            connection.execute(statement)
        super().__init__(connection, 1, to_micros(NOW))
        self.cached = cached
        self.done: list[str] = []
        self._connection = connection
        self._limits = words(given.get("limits", ""))
        self._leases = given.get("leases", "").split()
        self._past = given.get("past", "").split()
        self._holder = leases.Holder("flow_run" if holder == "r" else "task_run", holder)

    async def begin(self) -> None:
        """Put in what is given."""
        made = [_limit(name, told) for name, told in self._limits.items()]
        for limit in made:
            await limits.insert(self, limit)
        for told in self._leases:
            name, _, until = told.partition("=")
            expires = leases.NEVER if until == "never" else to_micros(read(until))
            grant = leases.Grant(id=str(named(name)), slots=1, expires=expires, holder=self._holder)
            await leases.create(self, made, grant)
        for number, name in enumerate(self._past):
            details = msgspec.json.encode({"transition_id": named(name)}).decode()
            await self.run(_STATE, name, number, details)
        self._before = await self._held()

    async def told(self) -> list[str]:
        """Write down what has changed."""
        before, after = self._before, await self._held()
        return self.done + [after[key] for key in after if after[key] != before[key]]

    async def _held(self) -> dict[str, str]:
        found = await self.all("select id, expires, holder_id from concurrency_lease order by id")
        kept = [f"{show(UUID(row[0]))}={_until(row[1])}" for row in found]
        assert {row[2] for row in found} <= {self._holder.id}
        listed = await limits.list_limits(self, limit=9, offset=0)
        used = [f"{x.name}={slots.used(x, self.micros)}/{x.limit}" for x in listed]
        return {
            "limits": " ".join(["limits   ", *used]),
            "leases": " ".join(["leases   ", *(kept or ["none"])]),
        }

    async def cached_state(self, _unit: object, key: str, _now: datetime) -> State | None:
        found = self.cached
        return found if found and found.details.cache_key == key else None

    async def store_cached_state(
        self, _unit: object, key: str, until: datetime | None, _state_id: str
    ) -> None:
        self.done.append(f"cached    {key[:8]} until {show(until)}")


def _limit(name: str, told: str) -> slots.Limit:
    counts, _, word = told.partition(":")
    taken, _, allowed = counts.partition("/")
    return slots.Limit(
        id=name, created=0, updated=to_micros(NOW), name=name, active=word != "inactive",
        limit=int(allowed), active_slots=int(taken), denied_slots=0, decay=0, occupancy=2,
    )  # fmt: skip


def _until(expires: int) -> str:
    return "never" if expires == leases.NEVER else show(from_micros(expires))
