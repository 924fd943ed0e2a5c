"""The door for events from outside: checked, stamped, recorded and put into the outbox at once.

::

    POST /events ──┐                  ┌▶ task runs (clients report their states as events)
    sockets ───────┴▶ check ▶ queue ▶ one transaction ────▶ commit ▶ acknowledged
                                      └▶ outbox: event store, triggers, /events/out

What has queued from all sockets and requests shares a transaction.  Clients send again what they
are not sure of: an event that was accepted in the last minutes is dropped here, an older one by
the store, and recording it again changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from armillary.db.operation import Operation
from armillary.db.unit import Emitted, Unit
from armillary.errors import Invalid
from armillary.events.envelope import TOPIC, Event
from armillary.events.schemas import (
    MAX_BYTES,
    InEvent,
    check_event,
    event_from_text,
    without_nul,
)
from armillary.orchestration.wire import in_utc
from armillary.task_runs.recording import Recorder
from armillary.task_runs.reports import Report, is_reported, report_of

if TYPE_CHECKING:
    from armillary.core import Core

_log = logging.getLogger("armillary.events")

_CHUNK = 64
"""Events of one request that are written in one go: about ten milliseconds of the writer."""
_UNDER_WAY = 128
"""Events of one socket that may wait for their commit."""
_REMEMBERED_FOR = 300.0
_REMEMBERED = 50_000
_NO_PAYLOAD = msgspec.Raw(b"{}")
_NULL = msgspec.Raw(b"null")

Key: TypeAlias = tuple[int, str]
"""A workspace and the id of an event in it, as text: UUID objects are slow to look up."""
_encode = msgspec.json.Encoder().encode


class Incoming(msgspec.Struct, frozen=True):
    """An event that was checked: what the outbox gets, and what it says of a task run."""

    workspace: int
    id: str
    body: str
    report: Report | None


class Recent:
    """Ids seen in the last minutes, in two generations, so that memory is bounded."""

    def __init__(self, *, seconds: float = _REMEMBERED_FOR, size: int = _REMEMBERED) -> None:
        self._seconds = seconds
        self._size = size
        self._young: set[Key] = set()
        self._old: set[Key] = set()
        self._turned = 0.0

    def has(self, key: Key, now: float) -> bool:
        """Tell whether a key was added in the last minutes."""
        self._turn(now)
        return key in self._young or key in self._old

    def has_any(self, keys: Collection[Key], now: float) -> bool:
        """Tell whether one of them was."""
        self._turn(now)
        return not (self._young.isdisjoint(keys) and self._old.isdisjoint(keys))

    def add(self, keys: Iterable[Key], now: float) -> None:
        """Remember keys."""
        self._turn(now)
        self._young.update(keys)

    def _turn(self, now: float) -> None:
        age = now - self._turned
        if age >= 2 * self._seconds:
            self._old, self._young = set(), set()
        elif age >= self._seconds or len(self._young) >= self._size:
            self._old, self._young = self._young, set()
        else:
            return
        self._turned = now


class TakeIn(Operation[Sequence[Incoming], None]):
    """The hot operation: the events of many sockets and requests, written together."""

    serial = True

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def execute(
        self, unit: Unit, requests: Sequence[Sequence[Incoming]]
    ) -> Sequence[Exception | None]:
        """Record what is about task runs; put every event into the outbox once."""
        incoming = {
            (event.workspace, event.id): event for events in requests for event in events
        }.values()
        await self._recorder.record(
            unit, [event.report for event in incoming if event.report is not None]
        )
        for event in incoming:
            unit.emit(Emitted(TOPIC, event.id, event.body), workspace=event.workspace)
        return [None] * len(requests)


class Intake:
    """Takes events in; whoever awaits it knows that they are durable."""

    def __init__(self, core: Core) -> None:
        self._database = core.database
        self._clock = core.clock
        self._metrics = core.metrics
        self._recent = Recent()
        self._take_in = TakeIn(Recorder(core.metrics))

    async def accept(self, workspace: int, events: Sequence[InEvent]) -> None:
        """Take a list of events; Invalid, with nothing taken, if one of them is unacceptable."""
        for place, event in enumerate(events):
            check_event(event, ("body", place))
        received = self._clock.now()
        incoming = self._new(workspace, events, received)
        for start in range(0, len(incoming), _CHUNK):
            await self._write(incoming[start : start + _CHUNK])

    def feed(self, workspace: int) -> Feed:
        """Take the events of one socket, one after the other."""
        return Feed(self, workspace)

    def begin(self, workspace: int, event: InEvent) -> asyncio.Future[None] | None:
        """Queue a checked event; what is returned ends when it is durable."""
        incoming = self._new(workspace, [event], self._clock.now())
        if not incoming:
            return None
        return asyncio.ensure_future(self._database.perform(self._take_in, incoming))

    def settle(self, workspace: int, event_id: str) -> None:
        """Remember an event that is durable."""
        self._recent.add([(workspace, event_id)], self._clock.monotonic())

    async def _write(self, incoming: Sequence[Incoming]) -> None:
        await self._database.perform(self._take_in, incoming)
        self._recent.add(
            [(event.workspace, event.id) for event in incoming], self._clock.monotonic()
        )

    def _new(self, workspace: int, events: Sequence[InEvent], received: datetime) -> list[Incoming]:
        """Stamp events, leaving out repeats and what is too large."""
        now = self._clock.monotonic()
        any_repeated = self._recent.has_any([(workspace, event.id) for event in events], now)
        found: list[Incoming] = []
        for event in events:
            if any_repeated and self._recent.has((workspace, event.id), now):
                self._metrics.count("armillary_events_repeated")
                continue
            incoming = _stamped(workspace, event, received)
            if incoming is None:
                self._metrics.count("armillary_events_too_large")
                continue
            found.append(incoming)
        self._metrics.count("armillary_events_received", len(found))
        return found


class Feed:
    """The events of one socket: queued as they come, a bounded number of them at a time."""

    def __init__(self, intake: Intake, workspace: int) -> None:
        self._intake = intake
        self._workspace = workspace
        self._under_way: deque[tuple[str, asyncio.Future[None]]] = deque()

    async def put(self, text: str) -> None:
        """Queue an event; waits only while too many of this socket are not durable yet.

        Raises Invalid for what is no event, and whatever kept an earlier one from being written:
        the socket is then to be closed, and the client sends again what it is not sure of.
        """
        event = event_from_text(text)
        written = self._intake.begin(self._workspace, event)
        if written is not None:
            self._under_way.append((event.id, written))
        while len(self._under_way) > _UNDER_WAY:
            await self._settle_first()
        while self._under_way and self._under_way[0][1].done():
            await self._settle_first()

    async def drain(self) -> None:
        """Wait until everything is durable; raises what first kept an event from being written."""
        failure: Exception | None = None
        while self._under_way:
            try:
                await self._settle_first()
            except Exception as error:  # noqa: BLE001 - the others are to be heard before it is raised
                failure = failure or error
        if failure is not None:
            raise failure

    async def _settle_first(self) -> None:
        event_id, written = self._under_way.popleft()
        await written
        self._intake.settle(self._workspace, event_id)


def _stamped(workspace: int, event: InEvent, received: datetime) -> Incoming | None:
    """Put an event into the shape of the outbox; None if that is too large."""
    encoded = _encode(
        Event(
            occurred=in_utc(event.occurred),
            event=event.event,
            resource=event.resource,
            related=event.related or (),
            payload=_NO_PAYLOAD if event.payload == _NULL else event.payload,
            id=event.id,
            follows=None if event.follows is None else str(event.follows),
            received=received,
        )
    )
    if len(encoded) > MAX_BYTES:
        _log.warning(
            "the event %s (%s) was dropped: it has %d bytes, %d is the limit",
            event.id, event.event[:100], len(encoded), MAX_BYTES,
        )  # fmt: skip
        return None
    try:
        body = without_nul(encoded).decode()
    except UnicodeDecodeError as error:
        message = f"The event {event.id} is not valid UTF-8."
        raise Invalid(message, loc=("body",)) from error
    report = report_of(workspace, event) if is_reported(event) else None
    return Incoming(workspace, event.id, body, report)
