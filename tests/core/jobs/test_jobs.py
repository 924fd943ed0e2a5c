"""A job is there exactly if its unit was committed, and is done, whatever becomes of workers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from armillary.core import Core
from armillary.db.unit import Reader, Unit
from armillary.errors import Busy, Unavailable
from armillary.jobs import Job, Wanted, store
from armillary.jobs.running import Running
from armillary.jobs.worker import JobWorker, workers
from armillary.services.supervisor import Supervisor
from armillary.testing import Ear, ManualClock

Work = Callable[..., Awaitable[None]]


class Jobs(JobWorker):
    name = "moon.jobs"


@asynccontextmanager
async def working(core: Core, work: Work, *, timeout: int = 0) -> AsyncIterator[Ear]:  # noqa: ASYNC109
    worker = Jobs(core, "moon", [Job(name="dig", work=work, timeout=timeout)])
    supervisor = Supervisor([worker])
    ear = Ear(worker)
    await core.broker.start()
    await supervisor.start()
    yield ear
    await supervisor.stop()


def dig(key: str, **more: Any) -> Wanted:
    return Wanted(id=f"id {key}", queue="moon", job="dig", key=key, **more)


async def want(core: Core, *wanted: Wanted) -> list[bool]:
    async def work(unit: Unit) -> list[bool]:
        return [await store.enqueue(unit, each) for each in wanted]

    return await core.database.write(work, workspace=1)


async def states(core: Core) -> dict[str, str]:
    rows = await core.database.read(None).all("select key, state from job order by key")
    return {row[0]: row[1] for row in rows}


async def row(core: Core, columns: str) -> tuple[Any, ...]:
    found = await core.database.read(None).all(f"select {columns} from job")
    return tuple(found[0])


async def nothing(_: Running) -> None:
    pass


async def test_a_job_is_done_with_its_arguments_and_seen_for_an_hour(
    core: Core, clock: ManualClock
) -> None:
    dug: list[int] = []

    async def note(_: Running, *, deep: int) -> None:
        dug.append(deep)

    async with working(core, note) as ear:
        await want(core, dig("a", arguments={"deep": 3}))
        await ear.hear("settled")
        assert dug == [3]
        assert await states(core) == {"a": "done"}
        await clock.advance(3601)
        await passing(clock, lambda: True)
        await becomes(core, {})


async def becomes(core: Core, wanted: dict[str, str]) -> None:
    async with asyncio.timeout(60):
        while await states(core) != wanted:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.001)


async def waking(clock: ManualClock, due: int) -> None:
    """Wait until somebody wants to be woken when something is due."""
    async with asyncio.timeout(60):
        while not clock.wakes_at(due):  # noqa: ASYNC110 - the database answers when it does
            await asyncio.sleep(0.001)


async def passing(clock: ManualClock, condition: Callable[[], bool]) -> None:
    """Let time pass until a condition holds, and what is asked of the database be answered."""
    async with asyncio.timeout(60):
        for _ in range(3):
            await clock.advance(5)
            await asyncio.sleep(0.003)
        while not condition():
            await clock.advance(5)
            await asyncio.sleep(0.003)


async def test_a_job_of_a_unit_that_fails_is_none(core: Core) -> None:
    async def work(unit: Unit) -> None:
        await store.enqueue(unit, dig("a"))
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - it is ours
        await core.database.write(work, workspace=1)
    assert await states(core) == {}


async def test_a_key_is_one_job_until_that_is_done(core: Core) -> None:
    assert await want(core, dig("a"), dig("a")) == [True, False]
    async with working(core, nothing) as ear:
        await ear.hear("settled")
        assert await want(core, dig("a")) == [True]
        await ear.hear("settled")


async def test_a_job_begins_when_it_is_due(core: Core, clock: ManualClock) -> None:
    begun: list[int] = []

    async def note(_: Running) -> None:
        begun.append(clock.micros())

    due = clock.micros() + 4_000_000
    async with working(core, note) as ear:
        await want(core, dig("a", start=due))
        await waking(clock, due)
        await clock.advance(3)
        assert await states(core) == {"a": "waiting"}
        await clock.advance(2)
        await ear.hear("settled")
    assert due <= begun[0] <= due + 1_000_000


async def test_a_job_begins_when_it_is_due_though_time_passes_while_the_queue_is_looked_at(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, answer = asyncio.Event(), asyncio.Event()

    async def slow(reader: Reader, queue: str) -> store.Ahead:
        ahead = await prompt(reader, queue)
        if ahead.due is not None and clock.micros() < ahead.due:
            looked.set()
            await answer.wait()
        return ahead

    prompt = store.ahead
    monkeypatch.setattr(store, "ahead", slow)
    async with working(core, nothing) as ear:
        await want(core, dig("a", start=clock.micros() + 4_000_000))
        await looked.wait()
        await clock.advance(3)
        answer.set()
        await waking(clock, clock.micros() + 1_000_000)
        await clock.advance(1)
        await ear.hear("settled")


async def test_what_fails_is_tried_again_later_and_in_the_end_dead(
    core: Core, clock: ManualClock
) -> None:
    tries: list[int] = []

    async def fail(_: Running) -> None:
        tries.append(clock.micros())
        message = "too hard"
        raise ValueError(message)

    async with working(core, fail) as ear:
        await want(core, dig("a", attempts=3))
        for _ in range(3):
            await ear.hear("settled")
            await passing(clock, lambda: True)
        assert len(tries) == 3
        assert tries[1] > tries[0]
        assert await states(core) == {"a": "dead"}
        (error,) = await row(core, "error")
        assert error.rstrip().endswith("ValueError: too hard")
        assert await want(core, dig("a")) == [False], "what is dead is not begun anew in passing"

        await core.database.write(lambda unit: store.retry(unit, "id a"), workspace=1)
        await ear.hear("settled")
    assert len(tries) == 4


async def test_a_job_that_nobody_knows_is_dead_in_the_end(core: Core) -> None:
    async with working(core, nothing) as ear:
        await want(core, Wanted(id="x", queue="moon", job="fly", key="x", attempts=1))
        await ear.hear("settled")
        assert await states(core) == {"x": "dead"}


async def test_what_was_under_way_in_a_process_that_died_is_done_by_the_next(core: Core) -> None:
    await want(core, dig("a"), dig("b", attempts=1))
    for _ in range(2):
        await core.database.write(lambda unit: store.claim(unit, "moon", "dead"), workspace=None)
    assert set((await states(core)).values()) == {"active"}
    async with working(core, nothing) as ear:
        await ear.hear("settled")
        assert await states(core) == {"a": "done", "b": "dead"}, "b had one attempt"


async def test_a_job_that_is_stopped_comes_again_and_its_attempt_does_not_count(
    core: Core,
) -> None:
    begun = asyncio.Event()

    async def endless(_: Running) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with working(core, endless):
        await want(core, dig("a"))
        await begun.wait()
    assert await row(core, "state, attempts, worker") == ("waiting", 0, None)


async def test_a_worker_that_lives_keeps_its_job_and_one_that_is_silent_loses_it(
    core: Core, clock: ManualClock
) -> None:
    release = asyncio.Event()
    begun: list[str] = []

    async def long(_: Running, *, name: str) -> None:
        begun.append(name)
        await release.wait()

    async with working(core, long) as ear:
        await want(core, dig("long", arguments={"name": "long"}))
        await becomes(core, {"long": "active"})
        silent = dig("silent", arguments={"name": "silent"}, start=clock.micros() + 1)
        await want(core, silent)
        await core.database.write(
            lambda unit: unit.run(
                "update job set state = 'active', attempts = 1, worker = 'elsewhere', deadline = ?"
                " where key = 'silent'",
                clock.micros() + store.LEASE,
            ),
            workspace=None,
        )
        await passing(clock, lambda: begun == ["long", "silent"])
        rows = await core.database.read(None).all("select attempts, deadline from job order by key")
        assert [each[0] for each in rows] == [1, 2]
        assert min(each[1] for each in rows) > clock.micros()
        release.set()
        await ear.hear("settled")


async def test_a_worker_that_was_taken_for_dead_changes_nothing(core: Core) -> None:
    await want(core, dig("a"))
    first = await core.database.write(lambda unit: store.claim(unit, "moon", "one"), workspace=None)
    assert first is not None
    await core.database.write(
        lambda unit: store.take_up_of_others(unit, "moon", "two"), workspace=None
    )
    await core.database.write(lambda unit: store.claim(unit, "moon", "two"), workspace=None)
    late = store.Attempt(first.id, first.attempts)
    assert not await core.database.write(
        lambda unit: store.end(unit, late, "done", error=None, progress=1.0), workspace=None
    )
    assert await states(core) == {"a": "active"}


async def test_an_attempt_that_takes_too_long_is_ended(core: Core) -> None:
    async def endless(_: Running) -> None:
        await asyncio.Event().wait()

    async with working(core, endless, timeout=-1) as ear:
        await want(core, dig("a", attempts=1))
        await ear.hear("settled")
        assert await states(core) == {"a": "dead"}


async def test_a_group_at_work_keeps_nobody_else_waiting(core: Core) -> None:
    async def claim(unit: Unit) -> str | None:
        claimed = await store.claim(unit, "moon", "one")
        return None if claimed is None else claimed.key

    grouped = [dig(f"g{number:02}", group="g") for number in range(30)]
    await want(core, *grouped, dig("z"))
    claimed = [await core.database.write(claim, workspace=None) for _ in range(3)]
    assert claimed == ["g00", "z", None]


async def test_more_than_enough_waiting_jobs_are_refused(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ROOM", 3)
    later = 10**17
    await want(core, dig("later", start=later), *(dig(str(number)) for number in range(3)))
    with pytest.raises(Busy, match="wait already"):
        await want(core, dig("one more"))
    assert await want(core, dig("also later", start=later)) == [True]


async def test_a_job_says_how_far_it_is(core: Core) -> None:
    said = asyncio.Event()

    async def tell(running: Running) -> None:
        await running.say("half of it", progress=0.5)
        said.set()
        await asyncio.Event().wait()

    async with working(core, tell):
        await want(core, dig("a"))
        await said.wait()
        assert await row(core, "note, progress") == ("half of it", 0.5)


async def test_saqs_own_ways_to_enqueue_find_and_abort_work(core: Core) -> None:
    async with working(core, nothing):
        pass
    queue = Jobs(core, "moon", []).queue
    job = await queue.enqueue("dig", key="k", scheduled=4_000_000_000, deep=1)
    assert job is not None
    assert await queue.enqueue("dig", key="k") is None
    found = await queue.job("k")
    assert found is not None
    assert found.kwargs == {"deep": 1}
    assert await queue.count("queued") == await queue.count("incomplete") == 1
    await queue.abort(found, "not any more")
    assert [each.status.value async for each in queue.iter_jobs()] == ["aborted"]
    assert (await queue.info())["queued"] == 0


async def test_a_database_that_is_away_ends_no_worker(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with working(core, nothing) as ear:
        with monkeypatch.context() as patch:

            def away(*_: Any, **__: Any) -> Any:
                raise Unavailable

            await want(core, dig("a"))
            patch.setattr(core.database, "read", away)
            await clock.advance(3)
        await clock.advance(6)
        await ear.hear("settled")
    assert await states(core) == {"a": "done"}


def test_every_plugin_with_jobs_has_a_worker(core: Core) -> None:
    plugins = core.plugins
    having = {name for name in plugins.enabled if "register_jobs" in plugins.hooks(name)}
    assert {service.name for service in workers(core)} == {f"{name}.jobs" for name in having}
