"""Known defects, one of each kind, to be put into the real code: the simulation must see each.

Each is what somebody might well write: a line forgotten, a check left out, two lines swapped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from armillary.broker.embedded import EmbeddedBroker, EmbeddedSubscription
from armillary.concurrency import deployments, leases, limits
from armillary.db.database import Database
from armillary.db.dialect import Dialect
from armillary.db.sqlite import SqliteReader
from armillary.db.sqlite_writer import SqliteUnit, Writer
from armillary.db.unit import OUTBOX_INSERT, outbox_rows
from armillary.deleting.deletions import Deletions
from armillary.deployments import scheduling
from armillary.deployments.schedules import idempotency_key
from armillary.events.outbox import Outbox
from armillary.flow_runs import writing
from armillary.jobs import store
from armillary.orchestration.rules.claimed_once import _ClaimedOnce
from armillary.orchestration.rules.no_duplicate_transition import TransitionsHappenOnce
from armillary.orchestration.states import StateType
from armillary.orchestration.verdicts import ACCEPT
from armillary.services.loop import Done
from armillary_plugins.agent.services.shipping import Shipper
from armillary_plugins.mark_crashed_runs.services import MarkCrashedRuns


@dataclass(frozen=True, kw_only=True)
class Defect:
    """Something wrong, and the words by which the simulation names it; any of them will do."""

    what: str
    plant: Callable[[], AbstractContextManager[None]]
    seen_as: tuple[str, ...]

    def named_by(self, wrong: Sequence[str]) -> bool:
        """Tell whether what was seen names it."""
        return any(words in each for each in wrong for words in self.seen_as)


@contextmanager
def _replaced(owner: Any, name: str, new: Any) -> Iterator[None]:
    before = owner.__dict__[name]
    setattr(owner, name, new)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _acknowledged_early() -> AbstractContextManager[None]:
    run = Writer._run

    def answered(self: Writer, group: list[Any], micros: int) -> list[SqliteUnit]:
        units = run(self, group, micros)
        for waiting in group:
            hot = waiting.operation is not None and not isinstance(waiting.result, Exception)
            if hot and not waiting.future.done():
                waiting.future.set_result(waiting.result)
        return units

    return _replaced(Writer, "_run", answered)


def _writer_not_woken() -> AbstractContextManager[None]:
    end = Writer._end

    def forgetful(self: Writer, *settled: Any) -> None:
        queued, self._queue = self._queue, deque()
        end(self, *settled)
        self._queue = queued

    return _replaced(Writer, "_end", forgetful)


def _readers_not_woken() -> AbstractContextManager[None]:
    def settled(_: Database, units: Sequence[SqliteUnit]) -> None:
        for call in [call for unit in units for call in unit.committed]:
            call()

    return _replaced(Database, "settled", settled)


def _consumer_not_woken() -> AbstractContextManager[None]:
    def take(self: EmbeddedSubscription, messages: Any) -> None:
        waits = bool(self._queue)
        for message in messages:
            self._queue.append(message)
            self.last = message.place
        if waits:
            self._filled.set()

    return _replaced(EmbeddedSubscription, "take", take)


def _slot_leaked() -> AbstractContextManager[None]:
    give_back = leases.give_back

    async def without_limits(unit: Any, ids: Any, *, timed: bool = False) -> int:
        if not timed:
            return await give_back(unit, ids)
        for lease_id in ids:
            await unit.run(leases._DELETE_LIMITS, f'["{lease_id}"]')
            await unit.run(leases._DELETE, f'["{lease_id}"]')
        return 1

    return _replaced(leases, "give_back", without_limits)


def _slot_kept_by_the_ended() -> AbstractContextManager[None]:
    async def kept(*_: Any) -> None:
        return None

    return _replaced(deployments, "given_back", kept)


def _limit_exceeded() -> AbstractContextManager[None]:
    return _replaced(limits, "has_room", lambda limit, slots, now: True)  # noqa: ARG005


@contextmanager
def _claimed_twice() -> Iterator[None]:
    accepted = _replaced(_ClaimedOnce, "decide", lambda *_: ACCEPT)
    repeated = _replaced(TransitionsHappenOnce, "decide", lambda *_: ACCEPT)
    with accepted, repeated:
        yield


class _Uncommitted(SqliteReader):
    """Reads on the connection that has written and not yet committed."""

    async def all(self, sql: str, *args: object) -> list[Any]:
        return self._database.writing.execute(Dialect.SQLITE.sql(sql), args).fetchall()


@contextmanager
def _told_before_commit() -> Iterator[None]:
    run = Writer._run

    def begin(self: Outbox, database: Any) -> None:
        self._database = database
        self._reader = _Uncommitted(database, None)

    def told(self: Writer, group: list[Any], micros: int) -> list[SqliteUnit]:
        units = run(self, group, micros)
        self._database.settled(units)
        return units

    with _replaced(Outbox, "__init__", begin), _replaced(Writer, "_run", told):
        yield


def _lease_kept() -> AbstractContextManager[None]:
    async def kept(*_: Any) -> bool:
        return False

    return _replaced(leases, "give_back_expired", kept)


def _workspaces_mixed_up() -> AbstractContextManager[None]:
    anywhere = limits._LOCKED_NAMES.replace("l.workspace = ?", "l.workspace >= ?")
    return _replaced(limits, "_LOCKED_NAMES", anywhere)


def _event_lost() -> AbstractContextManager[None]:
    announce = writing.announce

    def partly(unit: Any, writes: Sequence[writing.FlowRunWrite]) -> None:
        announce(unit, [one for one in writes if one.state.type is not StateType.CRASHED])

    return _replaced(writing, "announce", partly)


def _place_forgotten() -> AbstractContextManager[None]:
    subscribe = EmbeddedBroker.subscribe

    async def at_the_end(self: EmbeddedBroker, topic: str, group: str | None) -> Any:
        subscription = await subscribe(self, topic, group)
        subscription.last = subscription.handled = self._tail
        return subscription

    return _replaced(EmbeddedBroker, "subscribe", at_the_end)


def _event_twice() -> AbstractContextManager[None]:
    def flush(self: SqliteUnit) -> None:
        rows = outbox_rows(self.emitted)
        if rows:
            self._executemany(Dialect.SQLITE.sql(OUTBOX_INSERT), [*rows, rows[-1]])

    return _replaced(SqliteUnit, "flush", flush)


def _slot_doubled() -> AbstractContextManager[None]:
    key, numbers = idempotency_key, count(1)

    def unsteady(*of: Any) -> str:
        return key(*of) + (" again" if next(numbers) % 50 == 0 else "")

    return _replaced(scheduling, "idempotency_key", unsteady)


def _history_gap() -> AbstractContextManager[None]:
    insert = writing.insert_states

    async def partly(unit: Any, writes: Sequence[writing.FlowRunWrite]) -> None:
        await insert(unit, [one for one in writes if one.state.type is not StateType.PENDING])

    return _replaced(writing, "insert_states", partly)


def _job_acknowledged_early() -> AbstractContextManager[None]:
    done = store._CLAIM.replace("set state = 'active'", "set state = 'done'")
    return _replaced(store, "_CLAIM", done)


def _deleted_by_halves() -> AbstractContextManager[None]:
    go_on = Deletions.go_on

    async def once(self: Deletions, unit: Any, table: str, ids: Sequence[str]) -> tuple[int, bool]:
        deleted, _ = await go_on(self, unit, table, ids)
        await self._end(unit, table, ids)
        return deleted, True

    return _replaced(Deletions, "go_on", once)


def _agent_not_missed() -> AbstractContextManager[None]:
    async def nothing(_: MarkCrashedRuns) -> Done:
        return Done()

    return _replaced(MarkCrashedRuns, "run_once", nothing)


def _lines_left_behind() -> AbstractContextManager[None]:
    async def at_once(_: Shipper) -> None:
        return None

    return _replaced(Shipper, "flush", at_once)


DEFECTS = {
    "early_acknowledgement": Defect(
        what="a request of a hot operation is answered before its commit",
        plant=_acknowledged_early,
        seen_as=("was acknowledged and is gone",),
    ),
    "writer_not_woken": Defect(
        what="what queued during a commit waits for somebody else's request",
        plant=_writer_not_woken,
        seen_as=("waits for an answer", "is not stored yet"),
    ),
    "readers_not_woken": Defect(
        what="a commit wakes nobody, so that its events wait for the next sweep",
        plant=_readers_not_woken,
        seen_as=("is not stored yet",),
    ),
    "consumer_not_woken": Defect(
        what="a consumer is not woken by the first message in its queue",
        plant=_consumer_not_woken,
        seen_as=("is not stored yet",),
    ),
    "leaked_slot": Defect(
        what="a lease that ran out goes, what it held stays taken",
        plant=_slot_leaked,
        seen_as=("slots taken, its leases hold",),
    ),
    "slot_of_the_ended": Defect(
        what="a run that ends keeps its slot until the lease runs out",
        plant=_slot_kept_by_the_ended,
        seen_as=("which has ended",),
    ),
    "limit_exceeded": Defect(
        what="a slot is given that is not there",
        plant=_limit_exceeded,
        seen_as=("are taken by living holders",),
    ),
    "double_claim": Defect(
        what="a run that is claimed may be claimed again, if only by a request that comes twice",
        plant=_claimed_twice,
        seen_as=("was claimed twice", "to PENDING"),
    ),
    "event_before_commit": Defect(
        what="an event is told before its change is committed",
        plant=_told_before_commit,
        seen_as=("was told of",),
    ),
    "lease_kept": Defect(
        what="a lease that nobody renewed is kept after its end",
        plant=_lease_kept,
        seen_as=("has run out and is kept",),
    ),
    "workspaces_mixed_up": Defect(
        what="limits are found by their names, in later workspaces as well",
        plant=_workspaces_mixed_up,
        seen_as=("lies in another workspace", "slots taken, its leases hold"),
    ),
    "event_lost": Defect(
        what="one kind of change is committed without its event",
        plant=_event_lost,
        seen_as=("has no event",),
    ),
    "place_forgotten": Defect(
        what="a consumer begins at the end after a restart",
        plant=_place_forgotten,
        seen_as=("is not stored yet",),
    ),
    "event_twice": Defect(
        what="an event is in the outbox twice",
        plant=_event_twice,
        seen_as=("told twice",),
    ),
    "doubled_slot": Defect(
        what="a slot of a schedule has two keys",
        plant=_slot_doubled,
        seen_as=("were made for",),
    ),
    "job_acknowledged_early": Defect(
        what="a job is acknowledged when it is begun, and lost if its worker is killed",
        plant=_job_acknowledged_early,
        seen_as=("no job does it", "is due and nobody does it", "no job looks at run"),
    ),
    "deleted_by_halves": Defect(
        what="a deletion ends with the first part of what hangs below",
        plant=_deleted_by_halves,
        seen_as=("belong to nothing",),
    ),
    "agent_not_missed": Defect(
        what="nobody looks after the runs of agents that are gone",
        plant=_agent_not_missed,
        seen_as=("its agent is gone",),
    ),
    "lines_left_behind": Defect(
        what="a run ends before its last lines are with the server",
        plant=_lines_left_behind,
        seen_as=("ended without its lines",),
    ),
    "history_gap": Defect(
        what="a state is a run's and not in its history",
        plant=_history_gap,
        seen_as=("its history ends with", "was acknowledged and is gone"),
    ),
}
