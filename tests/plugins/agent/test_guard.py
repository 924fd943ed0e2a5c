"""The guard of an agent is there before the first process is, only once, and misses none."""

import asyncio
import signal
from pathlib import Path

import pytest

from armillary.clock import SystemClock
from armillary.ids import Ids
from armillary_plugins.agent.launch import Launch
from armillary_plugins.agent.services.guard import VARIABLE, Guard
from armillary_plugins.agent.services.processes import SystemSpawner


class Watched(Guard):
    """Tells how often it was started, and whether a process was there by then."""

    def __init__(self, mark: Path) -> None:
        super().__init__(1)
        self.mark = mark
        self.starts: list[bool] = []

    async def _start(self) -> None:
        await super()._start()
        self.starts.append(self.mark.exists())


@pytest.mark.parametrize("at_once", [1, 3])
async def test_a_guard_is_there_before_the_first_process(tmp_path: Path, at_once: int) -> None:
    mark = tmp_path / "begun"
    spawner = SystemSpawner(grace=1, ids=Ids.of_this_machine(SystemClock()))
    guard = spawner._guard = Watched(mark)
    launch = Launch(
        argv=["/bin/sh", "-c", f": > {mark}"],
        env={"PATH": "/usr/bin:/bin"},
        folder=str(tmp_path),
        stdin=None,
    )
    processes = await asyncio.gather(*(spawner.spawn(launch) for _ in range(at_once)))
    for process in processes:
        assert await process.wait() == 0
        process.release()
    assert mark.exists()
    assert guard.starts == [False]
    spawner.close()


async def started(mark: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        "/bin/sleep", "60", env={VARIABLE: mark}, start_new_session=True
    )


async def test_a_process_is_ended_of_whose_start_its_agent_told_nobody_any_more() -> None:
    guard = Guard(1)
    await guard.ready()
    guard.expect("one")
    guard.expect("another")
    guard.give_up("another")
    expected, given_up = await started("one"), await started("another")
    guard.close()
    assert await asyncio.wait_for(expected.wait(), 60) == -signal.SIGTERM
    assert given_up.returncode is None
    given_up.kill()
    await given_up.wait()


async def test_what_has_ended_is_left_alone_and_what_is_there_is_not() -> None:
    guard = Guard(1)
    await guard.ready()
    kept, ended = await started("kept"), await started("ended")
    for process, mark in ((kept, "kept"), (ended, "ended")):
        guard.expect(mark)
        guard.watch(process.pid, mark)
    guard.forget(kept.pid)
    guard.close()
    assert await asyncio.wait_for(ended.wait(), 60) == -signal.SIGTERM
    assert kept.returncode is None
    kept.kill()
    await kept.wait()
