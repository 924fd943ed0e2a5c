"""Reads that many ask for at the same time, done once for all of them.

A dashboard that fifty people look at asks the same fifty times.  Who comes while such a read is
under way cannot have its answer, which may be older than what they have seen; but all who come
until it ends share the next one.  What takes long and is asked again at once begins a moment
later: those who were answered together ask together, and would else just miss it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

import msgspec

from armillary.clock import Clock

if TYPE_CHECKING:
    from armillary.api import Answer, Call

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode
_LONG = 0.01
"""Seconds from which a read took long."""
_MOMENT = 1 / 16
"""As much of what it took is waited for others."""
_KNOWN = 256


class SharedReads:
    """What is being read now, and what is to be read next, by what is asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._now: dict[Hashable, asyncio.Future[object]] = {}
        self._next: dict[Hashable, asyncio.Future[object]] = {}
        self._long: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        """When the last read began and ended that took long."""

    async def share(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """Read, or share what somebody reads who began no earlier than this was called.

        A failure is shared too.  Who is cancelled lets another one of them read.
        """
        while (joined := self._next.get(key)) is not None:
            await asyncio.wait([joined])
            if not joined.cancelled():
                return joined.result()  # type: ignore[return-value]  # one key, one kind of answer
        mine: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        ahead = self._now.get(key)
        if ahead is not None or self._moment(key):
            await self._gather(key, ahead, mine)
        return await self._lead(key, read, mine)

    def _moment(self, key: Hashable) -> float:
        """Seconds to wait for others, if it took long and who was answered then may ask again."""
        began, ended = self._long.get(key, (0.0, 0.0))
        again = self._clock.monotonic() < 2 * ended - began
        return (ended - began) * _MOMENT if again else 0.0

    async def _gather(
        self, key: Hashable, ahead: asyncio.Future[object] | None, mine: asyncio.Future[object]
    ) -> None:
        """Be the one that others join, until what is being read is read, and for a moment."""
        self._next[key] = mine
        try:
            if ahead is not None:
                await asyncio.wait([ahead])
            if moment := self._moment(key):
                await self._clock.sleep(moment)
        except BaseException:
            mine.cancel()
            raise
        finally:
            del self._next[key]

    async def _lead(
        self, key: Hashable, read: Callable[[], Awaitable[T]], mine: asyncio.Future[object]
    ) -> T:
        self._now[key] = mine
        began = self._clock.monotonic()
        try:
            found = await read()
        except Exception as error:
            mine.set_exception(error)
            mine.exception()  # nobody may be there to see it but the one who read
            raise
        else:
            mine.set_result(found)
            return found
        finally:
            mine.cancel()  # does nothing unless whoever read was stopped in the middle of it
            del self._now[key]
            self._remember(key, began, self._clock.monotonic())

    def _remember(self, key: Hashable, began: float, ended: float) -> None:
        self._long.pop(key, None)
        if ended - began >= _LONG:
            self._long[key] = (began, ended)
            if len(self._long) > _KNOWN:
                self._long.popitem(last=False)


def sharing(
    handler: Callable[..., Awaitable[Answer]], name: str
) -> Callable[..., Awaitable[Answer]]:
    """Have those who ask the same of a workspace at the same time given one answer."""

    @wraps(handler)
    async def shared(call: Call, *body: object) -> Answer:
        key = (
            name,
            call.workspace,
            tuple(call.path.items()),
            tuple(call.query.items()),
            _encode(body),
        )
        return await call.core.shared_reads.share(key, lambda: handler(call, *body))

    return shared
