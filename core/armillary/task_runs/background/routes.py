"""The websocket that hands background task runs to their workers, and the list of those workers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from armillary.api import Answer, Body, Call, Routes
from armillary.api_socket import Socket, handshake
from armillary.errors import Unavailable
from armillary.task_runs.background import queue
from armillary.task_runs.background.protocol import (
    Closing,
    read_acknowledgement,
    read_subscription,
)
from armillary.task_runs.background.subscribers import (
    Subscriber,
    Subscribers,
    TaskWorker,
    subscribers_of,
)
from armillary.task_runs.schemas import TaskRun

if TYPE_CHECKING:
    from armillary.db.unit import Unit

T = TypeVar("T")

routes = Routes(tag="Task Workers")
_log = logging.getLogger("armillary.task_runs")

_LOOK_AGAIN = 5.0
"""Seconds between two looks for what nobody told of."""
_BEAT = queue.HOLD / 3e6
"""Seconds between two times at which a row is held for longer."""
_PATIENCE = 10.0
"""Seconds after which a run that is not acknowledged is for whoever has nothing to do."""
_AWAY = 1.0
_PACE = 0.02
"""Seconds until another look where others were faster, or have not committed yet."""
_BUSY = "The task run goes to a worker that has nothing to do; come back"
_encode = msgspec.json.Encoder().encode


class TaskWorkerFilter(Body, kw_only=True):
    """Tasks, any of which a worker has to serve."""

    task_keys: list[str]


class FilterTaskWorkers(Body):
    """Which task workers to list."""

    task_worker_filter: TaskWorkerFilter | None = None


@routes.post("/task_workers/filter", scope="see_workers", answers={200: list[TaskWorker]})
async def filter_task_workers(call: Call, body: FilterTaskWorkers) -> Answer:
    """List the task workers that are connected."""
    keys = body.task_worker_filter.task_keys if body.task_worker_filter else ()
    return Answer.json(subscribers_of(call.core).listed(call.workspace, keys))


@routes.websocket("/task_runs/subscriptions/scheduled", scope="run_tasks")
async def hand_out(call: Call, socket: Socket) -> None:
    """Hand task runs of some tasks to one worker, one at a time, until it goes."""
    if not await handshake(call, socket):
        return
    subscribers = subscribers_of(call.core)
    try:
        subscription = read_subscription(await socket.receive_text())
        async with subscribers.joined(call.workspace, subscription) as subscriber:
            await Talk(call, socket, subscriber, subscribers).run()
    except Closing as closing:
        if closing.reason:
            _log.info("the socket of a task worker is closed: %s", closing.reason)
        await socket.close(closing.code, closing.reason)
    except Unavailable:
        await socket.close(1013, "Try again later")


class Talk:
    """One worker's socket: claim a run, send it, wait until it is acknowledged, begin anew.

    What reads and writes rows is never cut short, so that it is always known what is held.
    """

    def __init__(
        self, call: Call, socket: Socket, subscriber: Subscriber, subscribers: Subscribers
    ) -> None:
        self._call = call
        self._clock = call.core.clock
        self._socket = socket
        self._me = subscriber
        self._subscribers = subscribers
        self._holder = call.core.ids.uuid7()
        self._keys = deque(subscriber.keys)
        """The one whose turn it is first: no task keeps the others waiting."""
        self._held: str | None = None
        self._said: asyncio.Future[str] = asyncio.ensure_future(socket.receive_text())

    async def run(self) -> None:
        """Talk until the worker goes; Closing says that we end it."""
        try:
            while True:
                run = await self._next()
                await self._socket.send_text(_encode(run).decode())
                await self._acknowledged(run)
        finally:
            self._said.cancel()
            await asyncio.gather(self._said, return_exceptions=True)
            await self._leave()

    async def _leave(self) -> None:
        """Let others have what is held here; where that cannot be, it waits again by itself."""
        self._subscribers.pass_on(self._me)
        run_id = self._held
        if run_id is not None:
            with contextlib.suppress(Unavailable):
                await self._write(lambda unit: queue.give_back(unit, run_id, self._holder))

    async def _next(self) -> TaskRun:
        """Wait for a run; it is held then."""
        while True:
            self._me.woken.clear()
            with self._subscribers.waiting(self._me):
                ahead = await self._ahead()
                now = self._clock.micros()
                if ahead is None or all(each.turn(now) is None for each in ahead):
                    await self._idle(_seconds(ahead, now))
                    continue
            run = await self._claimed(ahead)
            if run is not None:
                self._subscribers.pass_on(self._me)
                return run
            await self._clock.sleep(_PACE)

    async def _ahead(self) -> list[queue.Ahead] | None:
        """Look what waits, in the order in which the tasks have their turns.

        None while the database is away: a worker that was sent away would come back at once.
        """
        try:
            found = await queue.ahead(
                self._call.core.database.read(self._call.workspace), self._me.keys
            )
        except Unavailable:
            return None
        by_key = {each.key: each for each in found}
        return [by_key[key] for key in self._keys]

    async def _claimed(self, ahead: list[queue.Ahead]) -> TaskRun | None:
        """Hold one of the rows that were seen; None if others were faster."""
        now = self._clock.micros()
        for turn in (queue.AGAIN, queue.FIRST):
            for key in [each.key for each in ahead if each.turn(now) == turn]:
                claimed = await self._write(_claiming(key, turn, self._holder))
                if claimed is None or claimed.run is None:
                    continue
                self._held = claimed.run.id
                self._keys.remove(key)
                self._keys.append(key)
                return claimed.run
        return None

    async def _idle(self, seconds: float) -> None:
        """Wait until there may be something; nobody has anything to say meanwhile."""
        await _first_of(self._said, self._me.woken.wait(), self._clock.sleep(seconds))
        if self._said.done():
            read_acknowledgement(self._said.result(), expected=False)

    async def _acknowledged(self, run: TaskRun) -> None:
        """Wait until the worker has the run, holding it meanwhile.

        One at the limit of what it runs at once does not read, so nobody knows for how long: where
        another one waits, it is sent away, and throws away what it finds before the end.
        """
        run_id, sent = run.id, self._clock.monotonic()
        while not self._said.done():
            await _first_of(self._said, self._clock.sleep(_BEAT))
            if self._said.done():
                break
            late = self._clock.monotonic() - sent >= _PATIENCE
            if late and self._subscribers.others_wait(self._me, run.task_key):
                raise Closing(1012, _BUSY)
            await self._write(lambda unit: queue.prolong(unit, run_id, self._holder))
        read_acknowledgement(self._said.result(), expected=True)
        self._me.seen = self._clock.now()
        if not await self._write(lambda unit: queue.acknowledge(unit, run_id, self._holder)):
            _log.warning("task run %s was given to another worker as well", run_id)
        self._held = None
        self._said = asyncio.ensure_future(self._socket.receive_text())

    async def _write(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Do a unit of work to its end, also where we are told to stop meanwhile."""
        writing = asyncio.ensure_future(self._call.write(work))
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})
            raise


def _claiming(
    key: str, turn: int, holder: str
) -> Callable[[Unit], Awaitable[queue.Claimed | None]]:
    return lambda unit: queue.claim(unit, key, turn, holder)


def _seconds(ahead: list[queue.Ahead] | None, now: int) -> float:
    """Say how long nothing is to be expected."""
    if ahead is None:
        return _AWAY
    due = min((each.due for each in ahead if each.due is not None), default=None)
    return _LOOK_AGAIN if due is None else min(_LOOK_AGAIN, (due - now) / 1e6)


async def _first_of(said: asyncio.Future[str], *others: Awaitable[Any]) -> None:
    """Wait until something was said, or one of the others is over; those end with this."""
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(each) for each in others]
    try:
        await asyncio.wait([said, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
