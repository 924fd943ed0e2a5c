"""Processes of this machine, each the head of a group that ends as a whole.

::

    agent ──▶ process (its own session and group) ──▶ what it starts
      │
      └─ pipe ─▶ guard: a shell that knows the groups; when the pipe breaks, because the agent
                 was killed, it ends them all
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from armillary.ids import Ids
from armillary_plugins.agent.launch import Launch
from armillary_plugins.agent.services.guard import VARIABLE, Guard

Word: TypeAlias = Literal["terminate", "kill"]
_SIGNALS: dict[Word, int] = {"terminate": signal.SIGTERM, "kill": signal.SIGKILL}
_PROC = Path("/proc")
_UNREAD = 65_536
"""Bytes of one stream that wait in memory at most, twice; beyond that the process waits."""


class NotStarted(Exception):
    """A process could not be started; the message says why and what to do."""


class Stream(Protocol):
    """What a process writes, to be read piece by piece; nothing more means it has ended."""

    async def read(self, n: int = -1) -> bytes:
        """Return some bytes, or none at its end."""


class Process(Protocol):
    """A process under way."""

    pid: int
    stdout: Stream
    stderr: Stream

    async def wait(self) -> int:
        """Wait for its end; a negative code is the signal that ended it."""

    def tell_group(self, word: Word) -> bool:
        """Send its whole group a word; False where nobody of it is left."""

    def group_lives(self) -> bool:
        """Tell whether anybody of its group is left."""

    def release(self) -> None:
        """Let go of what belonged to it."""


class Spawner(Protocol):
    """Starts processes."""

    async def spawn(self, launch: Launch) -> Process:
        """Start one; NotStarted says why not."""

    def close(self) -> None:
        """Let go of what it holds."""


class _Told(asyncio.subprocess.SubprocessStreamProtocol):
    """Is told of a process's end as such.

    Who waits for the process itself waits until nobody holds its output open any more, too.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(limit=_UNREAD, loop=loop)
        self.exited: asyncio.Future[None] = loop.create_future()

    def process_exited(self) -> None:
        """Take note."""
        super().process_exited()
        self.exited.set_result(None)


class _Running:
    """A process of this machine."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, told: _Told, folder: str | None, guard: Guard
    ) -> None:
        process = asyncio.subprocess.Process(transport, told, asyncio.get_running_loop())
        if process.stdout is None or process.stderr is None:
            message = "a process without pipes"
            raise RuntimeError(message)
        self.pid = process.pid
        self.stdout: Stream = process.stdout
        self.stderr: Stream = process.stderr
        self._process = process
        self._transport = transport
        self._exited = told.exited
        self._folder = folder
        self._guard = guard
        self._fed: asyncio.Task[None] | None = None

    def feed(self, stdin: bytes) -> None:
        """Let it read something, as fast as it does."""
        self._fed = asyncio.create_task(self._feed(stdin))

    async def _feed(self, stdin: bytes) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        # Most programs read nothing, and some end before they could.
        with contextlib.suppress(OSError, RuntimeError):
            pipe.write(stdin)
            await pipe.drain()
        with contextlib.suppress(OSError, RuntimeError):
            pipe.close()

    async def wait(self) -> int:
        """Wait for its end."""
        await asyncio.shield(self._exited)
        code = self._process.returncode
        if code is None:
            message = "a process that ended without a code"
            raise RuntimeError(message)
        return code

    def tell_group(self, word: Word) -> bool:
        """Signal its group, of which it is the head."""
        try:
            os.killpg(self.pid, _SIGNALS[word])
        except ProcessLookupError:
            return False
        except PermissionError:
            return self._process.returncode is None
        return True

    def group_lives(self) -> bool:
        """Ask the system whether its group has members."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return self._process.returncode is None
        return _any_alive(self.pid)

    def release(self) -> None:
        """Close the pipes, and remove the folder that was made for it."""
        if self._fed is not None:
            self._fed.cancel()
        self._guard.forget(self.pid)
        self._transport.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _any_alive(group: int) -> bool:
    """Tell whether a group has a member that is more than an entry nobody has taken away.

    What the dead leave waits for its parent, and in containers that is often nobody.
    """
    if not _PROC.is_dir():
        return True
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # pid (name) state parent group ...: a name may contain anything
            state, _, its_group = (
                (folder / "stat").read_text().rpartition(")")[2].split(maxsplit=3)[:3]
            )
        except (OSError, ValueError):
            continue
        if its_group == str(group) and state not in "ZX":
            return True
    return False


class SystemSpawner:
    """Starts processes of this machine."""

    def __init__(self, *, grace: float, ids: Ids) -> None:
        self._guard = Guard(grace)
        self._ids = ids

    async def spawn(self, launch: Launch) -> Process:
        """Start one in a session of its own."""
        await self._guard.ready()
        own = None
        if launch.folder is None:
            own = tempfile.mkdtemp(prefix="armillary-run-")
        mark = self._ids.uuid4()
        self._guard.expect(mark)
        try:
            transport, told = await asyncio.get_running_loop().subprocess_exec(
                _Told,
                *launch.argv,
                stdin=None if launch.stdin is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=own or launch.folder,
                env={**launch.env, VARIABLE: mark},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self._guard.give_up(mark)
            if own is not None:
                shutil.rmtree(own, ignore_errors=True)
            raise NotStarted(why_not(launch, error)) from error
        running = _Running(transport, told, own, self._guard)
        self._guard.watch(running.pid, mark)
        if launch.stdin is not None:
            running.feed(launch.stdin)
        return running

    def close(self) -> None:
        """Let the guard go."""
        self._guard.close()


def why_not(launch: Launch, error: OSError | ValueError) -> str:
    """Say why a process could not be started."""
    program = launch.argv[0]
    if launch.folder is not None and not os.path.isdir(launch.folder):  # noqa: PTH112 - one look
        return (
            f"The folder {launch.folder} is not there on {socket.gethostname()}: make it, or give "
            "the deployment another working_dir."
        )
    if isinstance(error, FileNotFoundError):
        where = _searched(launch.argv, launch.env.get("PATH"))
        return (
            f"There is no command {program!r} on {socket.gethostname()}{where}: install it, or "
            "write its whole path."
        )
    if isinstance(error, PermissionError):
        return f"The command {program!r} may not be executed: give it the right to (chmod +x)."
    reason = getattr(error, "strerror", None) or str(error)
    return f"The command {program!r} cannot be started: {reason}."


def _searched(argv: Sequence[str], path: str | None) -> str:
    return "" if os.sep in argv[0] or not path else f" (looked in {path})"
