"""What every test may ask for: databases, the real Prefect, a browser, recorded texts.

Nothing here imports armillary when it is loaded: an import error of ours then fails the tests
that need it, not all of them.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import copies, recorded, servers
from tests.order import long_first

DIALECTS = {"sqlite": ("sqlite",), "postgres": ("postgres",), "both": ("sqlite", "postgres")}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("armillary")
    group.addoption(
        "--dialect",
        choices=sorted(DIALECTS),
        default="both",
        help="the databases that tests of `dialect` and `database_url` run on (default: both)",
    )
    group.addoption(
        "--rewrite",
        action="store_true",
        help="write recorded texts anew instead of comparing them",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "dialect" in metafunc.fixturenames:
        chosen = DIALECTS[metafunc.config.getoption("--dialect")]
        metafunc.parametrize("dialect", chosen, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests, each begins with long ones."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        items[:] = long_first(items, processes)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests found out beside whether they passed, parallel ones as well."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                terminalreporter.write_line(f"{name} on {value}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    """The one PostgreSQL server of this run, started when first asked for."""
    with servers.running_postgres(required(servers.find_postgres)) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: servers.Postgres) -> str:
    """The server's own database `postgres`, which tests leave alone."""
    return postgres.url


@pytest.fixture
def fresh_postgres(postgres: servers.Postgres) -> Iterator[str]:
    """The address of an empty PostgreSQL database, gone after the test."""
    name = postgres.create_database()
    yield postgres.database_url(name)
    postgres.drop_database(name)


@pytest.fixture
def fresh_sqlite(tmp_path: Path) -> str:
    """The address of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'armillary.db'}"


@pytest.fixture
def empty_database_url(dialect: str, request: pytest.FixtureRequest) -> str:
    """The address of an empty database; the test runs once for each chosen dialect."""
    url: str = request.getfixturevalue(f"fresh_{dialect}")
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with every table of this version, which tests copy."""
    file = tmp_path_factory.mktemp("migrated") / "armillary.db"
    servers.migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgres(postgres: servers.Postgres) -> copies.Copies:
    """Databases of every table of this version, one for each test at a time."""
    name = postgres.create_database()
    servers.migrate(postgres.database_url(name))
    return copies.Copies(postgres, name)


@pytest.fixture
def copied_sqlite(migrated_sqlite: Path, tmp_path: Path) -> str:
    """The address of a SQLite file with every table and nothing in them."""
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'armillary.db')}"


@pytest.fixture
def copied_postgres(postgres: servers.Postgres, migrated_postgres: copies.Copies) -> Iterator[str]:
    """The address of a PostgreSQL database with every table and nothing in them."""
    name = migrated_postgres.take()
    yield postgres.database_url(name)
    migrated_postgres.give_back(name)


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest) -> str:
    """The address of a database with every table and nothing in them, on each chosen dialect.

    Copied, because to migrate one for each test takes longer than most tests.
    """
    url: str = request.getfixturevalue(f"copied_{dialect}")
    return url


@pytest.fixture(scope="session")
def prefect_python() -> Path:
    """The Python that can import the real Prefect."""
    return required(servers.find_prefect)


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The browser to give to playwright as `executable_path`."""
    return required(servers.find_chromium)


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the file of that name in tests/snapshots."""
    return recorded.Snapshots(rewrite=request.config.getoption("--rewrite")).check


@pytest.fixture
def generated_part(request: pytest.FixtureRequest) -> Callable[[Path, str, str], None]:
    """Compares a text with the part of that name in a document."""
    return recorded.Documents(rewrite=request.config.getoption("--rewrite")).check


def required(find: Callable[[], Path]) -> Path:
    try:
        return find()
    except servers.MissingProgram as missing:
        raise pytest.fail.Exception(str(missing), pytrace=False) from None
