"""Jobs over a real Redis: it hands them out, and may lose everything without one being lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.errors import ConfigError
from armillary.jobs import Job, Wanted, store
from armillary.jobs.redis_queue import RedisQueue
from armillary.jobs.running import Running
from armillary.jobs.worker import JobWorker
from armillary.services.supervisor import Supervisor
from armillary.testing import Ear, ManualClock
from tests.servers import running_redis


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """The address of a Redis that keeps nothing."""
    with running_redis() as server:
        yield server.url


@pytest.fixture
def core_flags(redis_url: str) -> dict[str, object]:
    return {"redis.url": redis_url}


@pytest.fixture
def dialect() -> str:
    return "sqlite"


class Jobs(JobWorker):
    name = "moon.jobs"


@asynccontextmanager
async def working(core: Core, work: Callable[..., Awaitable[None]]) -> AsyncIterator[Ear]:
    worker = Jobs(core, "moon", [Job(name="dig", work=work)])
    assert isinstance(worker.queue, RedisQueue)
    supervisor = Supervisor([worker])
    ear = Ear(worker)
    await core.broker.start()
    await supervisor.start()
    yield ear
    await supervisor.stop()


async def want(core: Core, *keys: str, attempts: int = 10) -> None:
    async def work(unit: Unit) -> None:
        for key in keys:
            wanted = Wanted(
                id=f"id {key}", queue="moon", job="dig", key=key,
                arguments={"name": key}, attempts=attempts,
            )  # fmt: skip
            assert await store.enqueue(unit, wanted)

    await core.database.write(work, workspace=1)


async def become(core: Core, clock: ManualClock, wanted: dict[str, str]) -> None:
    """Let time pass until jobs are in these states."""
    async with asyncio.timeout(60):
        while True:
            rows = await core.database.read(None).all("select key, state from job order by key")
            if {row[0]: row[1] for row in rows} == wanted:
                return
            await asyncio.sleep(0.002)
            await clock.advance(1)


async def test_jobs_are_done_once_each(core: Core, clock: ManualClock) -> None:
    dug: list[str] = []

    async def dig(_: Running, *, name: str) -> None:
        dug.append(name)

    keys = [f"k{number:02}" for number in range(50)]
    async with working(core, dig):
        await want(core, *keys)
        await become(core, clock, dict.fromkeys(keys, "done"))
    assert sorted(dug) == keys
    queue = RedisQueue(core, "moon", core.settings.redis.url)
    assert await queue.redis.keys("saq:*moon*") == [], "nothing is left in Redis"
    await queue.disconnect()


async def test_what_fails_is_tried_again_and_in_the_end_dead(
    core: Core, clock: ManualClock
) -> None:
    tries: list[str] = []

    async def fail(_: Running, *, name: str) -> None:
        tries.append(name)
        message = "too hard"
        raise ValueError(message)

    async with working(core, fail):
        await want(core, "a", attempts=3)
        await become(core, clock, {"a": "dead"})
    assert tries == ["a"] * 3


async def test_what_redis_loses_is_handed_over_again(core: Core, clock: ManualClock) -> None:
    dug: list[str] = []
    queue = RedisQueue(core, "moon", core.settings.redis.url)

    async def dig(_: Running, *, name: str) -> None:
        if not dug:
            await queue.redis.flushall()
        dug.append(name)

    async with working(core, dig):
        await want(core, "a", "b", "c", "d", "e")
        await become(core, clock, dict.fromkeys("abcde", "done"))
    assert set(dug) == set("abcde")
    await queue.disconnect()


async def test_what_redis_gave_to_a_connection_that_broke_is_handed_over_again(
    core: Core, clock: ManualClock
) -> None:
    dug: list[str] = []

    async def dig(_: Running, *, name: str) -> None:
        dug.append(name)

    worker = Jobs(core, "moon", [Job(name="dig", work=dig)])
    queue = worker.queue
    assert isinstance(queue, RedisQueue)
    await core.broker.start()
    await worker.open()
    await want(core, "a")
    queue.wake()
    lost = await queue.redis.blmove(queue._queued, queue._active, timeout=20)
    assert lost is not None
    run = asyncio.ensure_future(worker.run())
    await become(core, clock, {"a": "done"})
    assert dug == ["a"]
    run.cancel()
    await asyncio.wait({run})
    await worker.close()


async def test_what_a_killed_worker_was_at_is_done_by_the_next(
    core: Core, clock: ManualClock
) -> None:
    begun = asyncio.Event()

    async def hang(_: Running, *, name: str) -> None:  # noqa: ARG001
        begun.set()
        await asyncio.Event().wait()

    async def dig(_: Running, *, name: str) -> None:
        assert name == "a"

    dead = Jobs(core, "moon", [Job(name="dig", work=hang)])
    await core.broker.start()
    await dead.open()
    run = asyncio.ensure_future(dead.run())
    await want(core, "a")
    await begun.wait()
    assert dead.queue.pump is not None
    dead.queue.pump.cancel()
    taken = await core.database.read(None).value("select worker from job")
    assert taken == dead.queue.worker_id
    async with working(core, dig):
        await become(core, clock, {"a": "done"})
        assert await core.database.read(None).value("select attempts from job") == 2
    run.cancel()
    await asyncio.wait({run})


async def test_a_redis_that_is_not_there_is_named(core: Core, tmp_path: Path) -> None:
    queue = RedisQueue(core, "moon", f"unix://{tmp_path / 'nobody'}")
    with pytest.raises(ConfigError, match="does not answer"):
        await queue.connect()
    await queue.disconnect()
