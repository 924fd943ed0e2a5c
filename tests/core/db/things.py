"""Work on a table of things, and operations that do what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar

import msgspec

from armillary.db.database import Database
from armillary.db.operation import Operation
from armillary.db.unit import Emitted, Unit

INSERT = "insert into thing (id, value) values (?, ?)"


async def prepare(database: Database) -> None:
    async def work(unit: Unit) -> None:
        await unit.run("create table thing (id text primary key, value bigint)")

    await database.write(work, workspace=1)


def insert(name: str, value: int = 0) -> Callable[[Unit], Awaitable[str]]:
    """A unit that inserts a thing and says so in the outbox."""

    async def work(unit: Unit) -> str:
        await unit.run(INSERT, name, value)
        unit.emit(Emitted("things", name, "{}"))
        return name

    return work


async def names(database: Database) -> list[str]:
    rows = await database.read(None).all("select id from thing order by id")
    return [row[0] for row in rows]


async def told(database: Database) -> list[str]:
    """What is in the outbox."""
    rows = await database.read(None).all("select event_id from outbox order by id")
    return [row[0] for row in rows]


async def value(database: Database, name: str) -> Any:
    return await database.read(None).value("select value from thing where id = ?", name)


class Ask(msgspec.Struct, frozen=True):
    """A request: what to insert, or how to fail."""

    name: str
    fault: str = ""


class Inserts(Operation[Ask, str]):
    """Inserts all, in one statement; a request may fail by itself or take all down."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Semaphore(0)
        """Released once for each batch that has begun."""

    async def execute(self, unit: Unit, requests: Sequence[Ask]) -> Sequence[str | Exception]:
        self.batches.append([request.name for request in requests])
        self.entered.release()
        if self.gate is not None:
            await self.gate.wait()
        answers: list[str | Exception] = []
        for request in requests:
            if request.fault == "all":
                await unit.run(INSERT, f"{request.name}-half", 0)
                message = f"{request.name} takes all down"
                raise LookupError(message)
            answers.append(LookupError(request.name) if request.fault else request.name)
        good = [request for request in requests if not request.fault]
        await unit.many(INSERT, [(request.name, 0) for request in good])
        for request in good:
            unit.emit(Emitted("things", request.name, "{}"), workspace=1)
        return answers


class Counts(Operation[str, int]):
    """Adds one to a thing and answers its value."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def key(self, request: str) -> object:
        return request

    async def execute(self, unit: Unit, requests: Sequence[str]) -> Sequence[int | Exception]:
        self.batches.append(list(requests))
        rows = await unit.for_each(
            "select id, value from thing where id {one} order by id {for_update}", requests
        )
        values = {row[0]: row[1] + 1 for row in rows}
        await unit.many(
            "update thing set value = ? where id = ?",
            [(values[request], request) for request in requests],
        )
        return [values[request] for request in requests]


class InOrder(Inserts):
    """As before, one batch after the other."""

    serial: ClassVar[bool] = True
