"""Reads that many ask for at once: how often they are done, and how old an answer may be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from armillary.shared_reads import SharedReads
from armillary.testing import ManualClock


class Source:
    """Counts reads, and ends each when it is told to."""

    def __init__(self) -> None:
        self.value = 0
        self.begun = 0
        self.gate = asyncio.Event()

    async def read(self) -> int:
        self.begun += 1
        seen = self.value
        await self.gate.wait()
        await asyncio.sleep(0)
        if seen < 0:
            raise ValueError(seen)
        return seen


async def turn() -> None:
    """Let everybody else get as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def time() -> ManualClock:
    return ManualClock()


@pytest.fixture
def reads(time: ManualClock) -> SharedReads:
    return SharedReads(time)


def ask(reads: SharedReads, source: Source, key: str = "count") -> asyncio.Task[int]:
    return asyncio.ensure_future(reads.share(key, source.read))


async def test_those_who_come_during_a_read_share_the_next(
    reads: SharedReads, source: Source
) -> None:
    first = ask(reads, source)
    await turn()
    source.value = 1
    others = [ask(reads, source) for _ in range(7)]
    await turn()
    assert source.begun == 1
    source.gate.set()
    assert await first == 0
    assert await asyncio.gather(*others) == [1] * 7
    assert source.begun == 2


async def test_an_answer_is_never_older_than_the_question(
    reads: SharedReads, source: Source
) -> None:
    source.gate.set()
    asked: list[tuple[int, asyncio.Task[int]]] = []
    for step in range(200):
        source.value += 1
        asked.append((source.value, ask(reads, source)))
        if step % 3 == 0:
            await asyncio.sleep(0)
    assert [value for value, answer in asked if await answer < value] == []
    assert source.begun < 200


async def test_one_after_the_other_read_each_for_themselves(
    reads: SharedReads, source: Source
) -> None:
    source.gate.set()
    assert await ask(reads, source) == 0
    source.value = 1
    assert await ask(reads, source) == 1


async def test_different_questions_wait_for_nobody(reads: SharedReads, source: Source) -> None:
    both = [ask(reads, source, "count"), ask(reads, source, "history")]
    await turn()
    assert source.begun == 2
    source.gate.set()
    await asyncio.gather(*both)


async def test_a_failure_is_told_to_all_who_share_it_and_to_nobody_after(
    reads: SharedReads, source: Source
) -> None:
    first = ask(reads, source)
    await turn()
    source.value = -1
    others = [ask(reads, source) for _ in range(3)]
    source.gate.set()
    assert await first == 0
    found: list[Any] = await asyncio.gather(*others, return_exceptions=True)
    assert [type(each) for each in found] == [ValueError] * 3
    source.value = 5
    assert await ask(reads, source) == 5


@pytest.mark.parametrize("leaving", [0, 1])
async def test_who_leaves_takes_nobody_along(
    reads: SharedReads, source: Source, leaving: int
) -> None:
    asked = [ask(reads, source)]
    await turn()
    asked += [ask(reads, source) for _ in range(3)]
    await turn()
    source.value = 7
    asked.pop(leaving).cancel()
    await turn()
    source.gate.set()
    assert (await asyncio.gather(*asked))[-2:] == [7, 7]


async def test_who_joined_and_leaves_takes_nobody_along(reads: SharedReads, source: Source) -> None:
    asked = [ask(reads, source)]
    await turn()
    asked += [ask(reads, source) for _ in range(3)]
    await turn()
    asked.pop().cancel()
    source.value = 7
    source.gate.set()
    assert await asyncio.gather(*asked) == [0, 7, 7]
    assert source.begun == 2


class Slow:
    """Reads that take sixteen seconds each."""

    def __init__(self, time: ManualClock) -> None:
        self.time = time
        self.begun = 0

    async def read(self) -> int:
        self.begun += 1
        seen = self.begun
        await self.time.sleep(16)
        return seen


async def test_those_who_were_answered_together_and_ask_again_are_so_again(
    reads: SharedReads, time: ManualClock
) -> None:
    slow = Slow(time)

    async def look() -> list[int]:
        return [await reads.share("count", slow.read) for _ in range(3)]

    people = [asyncio.ensure_future(look()) for _ in range(5)]
    for _ in range(4):
        await turn()
        await time.advance(16)
        await turn()
        await time.advance(1)
    await turn()
    assert [person.result() for person in people[1:]] == [[2, 3, 4]] * 4
    assert people[0].result() == [1, 2, 3]


async def test_who_asks_seldom_waits_for_nobody_else(reads: SharedReads, time: ManualClock) -> None:
    slow = Slow(time)
    for number in (1, 2):
        asked = asyncio.ensure_future(reads.share("count", slow.read))
        await turn()
        await time.advance(16)
        await turn()
        assert asked.result() == number
        await time.advance(16)
