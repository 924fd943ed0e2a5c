"""The disk of a SQLite database is full, read-only or broken for a while, and well again."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.soak import checks
from tests.soak.asking import Answer, Asker
from tests.soak.everybody import EVERYBODY
from tests.soak.load import Load, until
from tests.soak.probing import Question, questions
from tests.soak.server import Soaked

Say = Callable[[str], None]
Fault: TypeAlias = tuple[str, Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]
"""What it is called, how it begins and how it ends."""
SOURCE = Path(__file__).with_name("disk.c")
SIZE = "48m"
_ALL_READ_WITHIN = 10.0
_KINDS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "broken": errno.EIO}


@dataclass(frozen=True)
class Plan:
    """How often the disk is in trouble, and for how long after a write was first refused."""

    rounds: int = 1
    hold: float = 0.0
    kills: bool = False
    """Whether every second time the server is killed meanwhile."""


@dataclass
class Trouble:
    """What some troubles of a disk came to."""

    wrong: list[str] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    """A file system of its own that is soon full; only root may make one."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "armillary-soak", folder]
        subprocess.run(mount, check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def may_mount() -> bool:
    """Whether this user may make a file system of his own."""
    return os.geteuid() == 0 and sys.platform == "linux"


def library(folder: Path) -> Path:
    """What is preloaded to make a disk fail."""
    made = folder / "disk.so"
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc") or "cc"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", made, SOURCE, "-ldl"], check=True)
    return made


async def filled(disk: Path, folder: Path, say: Say, plan: Plan) -> Trouble:
    """Fill a real file system to its last byte under load, and make room again."""
    ballast = disk / "ballast"

    async def begin() -> None:
        await asyncio.to_thread(_fill, ballast)

    async def end() -> None:
        ballast.unlink()

    database = f"sqlite:///{disk}/home/armillary.db"
    server = Soaked(folder, database)
    return await _troubled(server, database, say, [("full", begin, end)] * plan.rounds, plan)


async def failing(folder: Path, say: Say, plan: Plan) -> Trouble:
    """Let every change of a file fail for a while, by each error there is."""
    home, told = folder / "disk", folder / "fault"
    home.mkdir()

    def fault(
        kind: str,
    ) -> tuple[str, Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]:
        async def begin() -> None:
            told.with_suffix(".new").write_text(str(_KINDS[kind]))
            told.with_suffix(".new").rename(told)

        async def end() -> None:
            told.unlink()

        return kind, begin, end

    database = f"sqlite:///{home}/armillary.db"
    server = Soaked(
        folder, database,
        LD_PRELOAD=str(library(folder)), DISK_FAULT=str(told), DISK_FOLDER=str(home),
    )  # fmt: skip
    faults = [fault(kind) for kind in _KINDS] * plan.rounds
    return await _troubled(server, database, say, faults, plan)


async def _troubled(
    server: Soaked,
    database: str,
    say: Say,
    faults: list[Fault],
    plan: Plan,
) -> Trouble:
    outcome = Trouble()
    load = Load(server.port)
    try:
        await server.recover()
        await load.prepare()
        load.start(EVERYBODY)
        await until(lambda: len(load.ledger.finished) > 50, within=30)
        for number, (kind, begin, end) in enumerate(faults):
            await asyncio.sleep(0.3)
            await begin()
            outcome.wrong += [f"{kind}: {each}" for each in await _while_away(server, load, say)]
            await asyncio.sleep(plan.hold)
            killed = plan.kills and number % 2 == 1
            if killed:
                server.kill()
            await end()
            began = time.monotonic()
            recovery = await (server.recover() if killed else server.recovered(began))
            outcome.recoveries.append(recovery.writing)
            say(f"  {kind}: first write after {recovery.writing:.2f} s")
            outcome.wrong += await checks.wrong_meanwhile(database, load.ledger)
            if outcome.wrong:
                return outcome
        await load.end()
        outcome.wrong += await _settled(database, load)
        if server.interrupt() != 0:
            outcome.wrong.append(f"it did not end cleanly: {server.log()[-500:]}")
        outcome.wrong += [
            f"in the log: {line}" for line in server.log().splitlines() if "Traceback" in line
        ]
    finally:
        await load.abandon()
        server.kill()
    return outcome


async def _while_away(server: Soaked, load: Load, say: Say) -> list[str]:
    """Reads are answered as ever; a write is refused politely or is done, and some are refused."""
    asker = Asker(server.port)
    run = next(iter(load.ledger.finished))
    asked = questions(load.flow_id, run, load.deployment_id)
    wrong, refused = [], 0
    began = time.monotonic()
    while not refused and time.monotonic() - began < _ALL_READ_WITHIN:
        # What was free in the log of the database is used up first: until then writes are done.
        for question in asked:
            answer = await asker.ask(question.method, question.path, question.body)
            refused += answer.status == 503
            wrong += _misled(question, answer)
    asker.close()
    say(f"  {refused} of {len(asked)} requests refused after {time.monotonic() - began:.2f} s")
    return wrong if refused else [*wrong, "nothing was refused"]


def _misled(question: Question, answer: Answer) -> list[str]:
    if answer.status == 503:
        if not question.writes:
            return [f"{question.name} was refused though it only reads"]
        if "retry-after" not in answer.headers:
            return [f"{question.name}: 503 without Retry-After"]
        return []
    return [] if answer.status < 500 else [f"{question.name} was answered {answer.status}"]


def _fill(ballast: Path) -> None:
    """Write until there is no byte left."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)


async def _settled(database: str, load: Load) -> list[str]:
    left: list[str] = []

    async def look() -> bool:
        left[:] = await checks.at_rest(database, load.ledger, leases=False)
        return not left

    await until(look, within=60)
    return left + await checks.wrong(database, load.ledger)
