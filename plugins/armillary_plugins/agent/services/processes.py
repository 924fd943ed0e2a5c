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

from armillary_plugins.agent.launch import Launch

Word: TypeAlias = Literal["terminate", "kill"]
_SIGNALS: dict[Word, int] = {"terminate": signal.SIGTERM, "kill": signal.SIGKILL}
_PROC = Path("/proc")
_UNREAD = 65_536
"""Bytes of one stream that wait in memory at most, twice; beyond that the process waits."""
_GUARD = """
trap '' INT TERM HUP
groups=' '
while read -r word group; do
  case $word in
    +) groups="$groups$group " ;;
    -) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
set -- $groups
[ $# -eq 0 ] && exit 0
for group; do kill -TERM -"$group" 2>/dev/null; done
for second in GRACE; do
  left=
  for group; do kill -0 -"$group" 2>/dev/null && left=1; done
  [ -z "$left" ] && exit 0
  sleep 1
done
for group; do kill -KILL -"$group" 2>/dev/null; done
"""


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


class _Running:
    """A process of this machine."""

    def __init__(
        self, process: asyncio.subprocess.Process, folder: str | None, guard: _Guard
    ) -> None:
        if process.stdout is None or process.stderr is None:
            message = "a process without pipes"
            raise RuntimeError(message)
        self.pid = process.pid
        self.stdout: Stream = process.stdout
        self.stderr: Stream = process.stderr
        self._process = process
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
        return await self._process.wait()

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
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()
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


class _Guard:
    """Ends the groups of an agent that was killed."""

    def __init__(self, grace: float) -> None:
        self._script = _GUARD.replace("GRACE", " ".join(["."] * max(1, round(grace))))
        self._pipe: int | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def watch(self, group: int) -> None:
        """Have a group ended when this process dies."""
        if self._pipe is None:
            await self._start()
        self._tell(f"+ {group}\n")

    def forget(self, group: int) -> None:
        """Leave a group alone from now on."""
        self._tell(f"- {group}\n")

    def close(self) -> None:
        """Let the guard go; whatever it still watches it ends."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    async def _start(self) -> None:
        ours, theirs = os.pipe()
        os.set_blocking(theirs, False)
        try:
            self._process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", self._script, stdin=ours, start_new_session=True
            )
        except OSError:
            os.close(theirs)
            return
        finally:
            os.close(ours)
        self._pipe = theirs

    def _tell(self, line: str) -> None:
        if self._pipe is None:
            return
        try:
            os.write(self._pipe, line.encode())
        except OSError:
            self.close()


class SystemSpawner:
    """Starts processes of this machine."""

    def __init__(self, *, grace: float) -> None:
        self._guard = _Guard(grace)

    async def spawn(self, launch: Launch) -> Process:
        """Start one in a session of its own."""
        own = None
        if launch.folder is None:
            own = tempfile.mkdtemp(prefix="armillary-run-")
        try:
            process = await asyncio.create_subprocess_exec(
                *launch.argv,
                stdin=None if launch.stdin is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=own or launch.folder,
                env=dict(launch.env),
                start_new_session=True,
                limit=_UNREAD,
            )
        except (OSError, ValueError) as error:
            if own is not None:
                shutil.rmtree(own, ignore_errors=True)
            raise NotStarted(why_not(launch, error)) from error
        running = _Running(process, own, self._guard)
        await self._guard.watch(process.pid)
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
