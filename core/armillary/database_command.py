"""What `armillary database` does, without a server."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from armillary.core import Core
from armillary.db.database import Database
from armillary.db.engine import file_of
from armillary.db.migrate import applied, in_order, steps_of
from armillary.db.unit import Unit
from armillary.discovery import Found
from armillary.errors import ConfigError, PluginFailed
from armillary.home import HomeLock
from armillary.server import run_loop
from armillary.settings import Settings

_CREATED = re.compile(r"create table (?:if not exists )?(\w+)", re.IGNORECASE)
_TOUCHED_WITHIN = 15_000_000


def upgrade(settings: Settings, found: Mapping[str, Found]) -> list[str]:
    """Apply the steps that are missing."""
    with alone(settings):
        return _upgraded(settings, found)


def _upgraded(settings: Settings, found: Mapping[str, Found]) -> list[str]:
    """Apply all that can be applied, and say what could not."""
    failed: dict[str, str] = {}
    before: list[set[tuple[str, str]]] = []

    async def work(core: Core) -> list[str]:
        before.append(await applied(core.database))
        await core.upgrade()
        lines = [
            f"applied {step.owner}/{step.name}"
            for tables in in_order(core.tables())
            for step in steps_of(tables)
            if (step.owner, step.name) not in before[0]
        ]
        left_out = [refusal.sentence for refusal in core.plugins.refused]
        return [*(lines or ["already up to date"]), *left_out]

    while True:
        try:
            return with_database(settings, found, work, failed=failed)
        except PluginFailed as error:
            if error.plugin in failed:
                raise
            failed[error.plugin] = error.reason


def info(settings: Settings, found: Mapping[str, Found]) -> list[str]:
    """List the steps it has seen and those it waits for."""
    file = file_of(settings.database_url)
    if file is not None and not file.exists():
        return ["does not exist yet: armillary start makes it"]

    async def work(core: Core) -> list[str]:
        seen = await applied(core.database)
        known = [step for tables in in_order(core.tables()) for step in steps_of(tables)]
        lines = [
            f"{'applied' if (step.owner, step.name) in seen else 'missing'} "
            f"{step.owner}/{step.name}"
            for step in known
        ]
        rest = seen - {(step.owner, step.name) for step in known}
        gone = await core.left_behind()
        return [
            *lines,
            *(f"unknown {owner}/{name}" for owner, name in sorted(rest)),
            *(f"{owner} is not installed; its tables stay as they are" for owner in gone),
        ]

    return with_database(settings, found, work)


def audit(settings: Settings, found: Mapping[str, Found]) -> list[str]:
    """Count rows that belong to what is gone, in every table that says what it belongs to."""

    async def work(core: Core) -> list[str]:
        reader = core.database.read(None)
        orphans = await core.deletions.family.orphans(reader)
        doomed = await reader.value("select count(*) from doomed")
        lines = [f"{count} rows of {column} belong to nothing" for column, count in orphans.items()]
        later = [f"of {doomed} deleted things the rest is still to go"] if doomed else []
        return [*(lines or ["every row belongs to something"]), *later]

    return with_database(settings, found, work)


def reset(settings: Settings, found: Mapping[str, Found]) -> list[str]:
    """Delete everything; ConfigError while a server uses it."""
    with alone(settings):
        file = file_of(settings.database_url)
        if file is not None:
            for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
                path.unlink(missing_ok=True)
        else:
            with_database(settings, found, _drop)
        return ["everything is deleted", *_upgraded(settings, found)]


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Keep servers away from a database that is a file; ConfigError while one uses it."""
    file = file_of(settings.database_url)
    if file is None:
        yield
        return
    with HomeLock(file):
        yield


def with_database(
    settings: Settings,
    found: Mapping[str, Found],
    work: Callable[[Core], Awaitable[list[str]]],
    *,
    failed: Mapping[str, str] | None = None,
) -> list[str]:
    """Do something with an open database, and return the lines to print."""
    lines: list[str] = []

    async def main() -> int:
        core = Core.create(settings, found=found, failed=failed)
        await core.database.open()
        try:
            lines.extend(await work(core))
        finally:
            await core.database.close()
        return 0

    run_loop(main())
    return lines


async def _drop(core: Core) -> list[str]:
    await refuse_if_used(core.database)
    names = [
        name
        for tables in in_order(core.tables())
        for step in steps_of(tables)
        for statement in step.statements
        for name in _CREATED.findall(statement)
    ]

    async def drop(unit: Unit) -> None:
        for name in (*reversed(names), "migration"):
            await unit.run(f"drop table if exists {name}")

    await core.database.write(drop, workspace=None)
    return []


async def refuse_if_used(database: Database) -> None:
    """Raise ConfigError while a server uses a database that several can use."""
    if not await applied(database):
        return
    since = database.clock.micros() - _TOUCHED_WITHIN
    row = await database.read(None).one("select id from server_process where seen > ?", since)
    if row is not None:
        host, pid, _ = row[0].split(" ")
        message = (
            f"A server (process {pid} on {host}) uses this database: stop it first; if it died, "
            "try again in a few seconds."
        )
        raise ConfigError(message)
