"""The guard of an agent is there before the first process is, and only once."""

import asyncio
from pathlib import Path

import pytest

from armillary_plugins.agent.launch import Launch
from armillary_plugins.agent.services.guard import Guard
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
    spawner = SystemSpawner(grace=1)
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
