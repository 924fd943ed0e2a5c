"""One started server for the whole folder, and the real Prefect in a home of each test's own."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.forked import Forking
from tests.end_to_end.programs import SECONDS, Armillary, Commands, Prefect, environ_of_prefect
from tests.servers import Postgres

HURRIED = {
    "ARMILLARY_ORCHESTRATION_CONCURRENCY_SLOT_WAIT": "2",
    "ARMILLARY_FAIL_EXPIRED_PAUSES_INTERVAL": "1",
    "ARMILLARY_SCHEDULER_RECENT_INTERVAL": "1",
}
"""Waits of the server that a test would otherwise sit through."""


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let programs be interrupted, also when the tests were started in the background.

    A shell has what it starts there ignore interrupts, and a program's children inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def armillary(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Armillary]:
    """The started server; it must end cleanly, without a fault of its own in its log.

    It is on SQLite, which everybody begins with, unless the run is about PostgreSQL alone.
    """
    settings = dict(HURRIED)
    if request.config.getoption("--dialect") == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        settings["ARMILLARY_DATABASE_URL"] = postgres.database_url(postgres.create_database())
    server = Armillary(tmp_path_factory.mktemp("armillary"), **settings)
    with server.running():
        yield server
    assert server.faults() == []


@pytest.fixture(scope="session")
def commands(
    armillary: Armillary, prefect_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Commands]:
    """The command line of the real Prefect, connected with the server."""
    home = tmp_path_factory.mktemp("commands")
    environ = environ_of_prefect(armillary.url, home)
    forking = Forking(prefect_python, environ, home)
    yield Commands(forking, environ)
    forking.end(SECONDS)


@pytest.fixture
def prefect(armillary: Armillary, commands: Commands, tmp_path: Path) -> Prefect:
    """The real Prefect, connected with the server."""
    return Prefect(tmp_path, armillary.url, commands)
