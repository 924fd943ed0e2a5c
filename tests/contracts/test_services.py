"""Every service behaves: idle is cheap and changes nothing, and it starts and stops at any time."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from armillary.core import Core
from armillary.db.dialect import Dialect
from armillary.server import services_of
from armillary.services.loop import Done, LoopService
from armillary.services.service import Service
from armillary.services.supervisor import Supervisor
from armillary.testing import ManualClock

IDLE_STATEMENTS = 12


def loops(core: Core) -> list[LoopService]:
    return [service for service in services_of(core) if isinstance(service, LoopService)]


def all_of(core: Core) -> list[Service]:
    return services_of(core)


async def test_every_name_is_there_once(core: Core) -> None:
    names = Counter(service.name for service in all_of(core))
    assert set(names.values()) <= {1}
    plugins = set(core.plugins.enabled) | {"presence"}
    assert {name.partition(".")[0] for name in names} <= plugins


@contextmanager
def statements_counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collects the statements that are executed inside."""
    statements: list[str] = []
    sql = Dialect.sql

    def counted(self: Dialect, text: str) -> str:
        statements.append(text)
        return sql(self, text)

    with monkeypatch.context() as patch:
        patch.setattr(Dialect, "sql", counted)
        yield statements


async def test_an_idle_turn_changes_nothing_in_a_few_statements(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in loops(core):
        counts: list[int] = []
        for _ in range(2):
            with statements_counted(monkeypatch) as statements:
                done = await service.turn()
            assert isinstance(done, Done), f"{service.name} failed on an empty database"
            assert done.changed == 0, service.name
            counts.append(len(statements))
        assert counts[0] == counts[1] <= IDLE_STATEMENTS, f"{service.name}: {statements}"


async def test_services_start_and_stop_a_hundred_times(core: Core, clock: ManualClock) -> None:
    async with asyncio.timeout(60):
        for _ in range(100):
            supervisor = Supervisor(all_of(core))
            await supervisor.start()
            await clock.advance(0.6)
            assert not supervisor.failure.done()
            await supervisor.stop()
