"""Processes that are none: each does what the test says, when it says so."""

import asyncio
from collections.abc import Callable

from armillary.testing import ManualClock
from armillary_plugins.agent.launch import Launch
from armillary_plugins.agent.services.processes import NotStarted, Process, Stream, Word

_PATIENCE = 60.0


class FakeStream:
    """What a process writes, as the test lets it."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()

    def write(self, data: bytes) -> None:
        self._pieces.put_nowait(data)

    async def read(self, n: int = -1) -> bytes:
        del n
        return await self._pieces.get()


class FakeProcess:
    """A process that lives until it is told to end; a stubborn one until it is killed."""

    def __init__(self, pid: int, launch: Launch) -> None:
        self.pid = pid
        self.launch = launch
        self.stubborn = False
        self.words: list[Word] = []
        self.out = FakeStream()
        self.err = FakeStream()
        self.stdout: Stream = self.out
        self.stderr: Stream = self.err
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def end(self, code: int = 0) -> None:
        if not self._code.done():
            self._code.set_result(code)
            self.out.write(b"")
            self.err.write(b"")

    @property
    def ended(self) -> bool:
        return self._code.done()

    async def wait(self) -> int:
        return await asyncio.shield(self._code)

    def tell_group(self, word: Word) -> bool:
        self.words.append(word)
        if word == "kill" or not self.stubborn:
            self.end(-9 if word == "kill" else -15)
        return True

    def group_lives(self) -> bool:
        return not self.ended

    def release(self) -> None:
        """Nothing was taken."""


class FakeSpawner:
    """Starts fakes, and remembers them; programs it does not know cannot be started."""

    def __init__(self, *unknown: str) -> None:
        self.processes: list[FakeProcess] = []
        self._unknown = unknown

    async def spawn(self, launch: Launch) -> Process:
        if launch.argv[0] in self._unknown:
            message = f"There is no command {launch.argv[0]!r}."
            raise NotStarted(message)
        process = FakeProcess(1000 + len(self.processes), launch)
        self.processes.append(process)
        return process

    def close(self) -> None:
        """Nothing is held."""


async def passing(clock: ManualClock, until: Callable[[], object], *, step: float = 0.25) -> None:
    """Let time pass until something has come about."""
    async with asyncio.timeout(_PATIENCE):
        while not until():
            await clock.advance(step)
            await asyncio.sleep(0.001)
