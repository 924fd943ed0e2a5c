"""The servers that can be measured, by name: where each keeps its data and how it starts."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests import servers
from tests.speed.processes import Command, ServerFailed

ROOT = servers.ROOT
ARMILLARY = ROOT / ".venv/bin/armillary"


@dataclass(frozen=True, kw_only=True)
class Target:
    name: str
    title: str
    needs_postgres: bool
    is_reference: bool
    command: Callable[[Path, str], Command]


def _armillary(home: Path, database_url: str) -> Command:
    port = servers.free_port()
    start = ("start", "--port", str(port), "--home", str(home / "home"), "--no-browser")
    environment = {"ARMILLARY_DATABASE_URL": database_url} if database_url else {}
    return Command(arguments=(str(ARMILLARY), *start), port=port, environment=environment)


def _prefect(home: Path, database_url: str) -> Command:
    """Prefect's own server as it comes, without the pages and without calling home."""
    port = servers.free_port()
    program = str(servers.find_prefect().parent / "prefect")
    environment = {
        "PREFECT_HOME": str(home / "home"),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    if database_url:
        address = database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
        environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = address
        environment["PREFECT_API_DATABASE_CONNECTION_URL"] = address
    start = ("server", "start", "--host", "127.0.0.1", "--port", str(port))
    return Command(arguments=(program, *start), port=port, environment=environment)


TARGETS = {
    target.name: target
    for target in (
        Target(
            name="armillary-sqlite",
            title="Armillary, SQLite",
            needs_postgres=False,
            is_reference=False,
            command=_armillary,
        ),
        Target(
            name="armillary-postgres",
            title="Armillary, PostgreSQL",
            needs_postgres=True,
            is_reference=False,
            command=_armillary,
        ),
        Target(
            name="prefect-postgres",
            title="Prefect, PostgreSQL",
            needs_postgres=True,
            is_reference=True,
            command=_prefect,
        ),
        Target(
            name="prefect-sqlite",
            title="Prefect, SQLite",
            needs_postgres=False,
            is_reference=True,
            command=_prefect,
        ),
    )
}
USUAL = ("armillary-sqlite", "armillary-postgres", "prefect-postgres")


def make_ready(targets: list[Target]) -> None:
    """Installs Prefect's own server beside ours if one of the targets is it."""
    if not ARMILLARY.exists() and not all(target.is_reference for target in targets):
        raise ServerFailed(f"{ARMILLARY} is not there: `make setup` installs it.")
    if not any(target.is_reference for target in targets):
        return
    stamp = ".venv-prefect/.installed"
    done = subprocess.run(["make", "-C", str(ROOT), stamp], check=False)
    if done.returncode:
        raise ServerFailed("Prefect's own server could not be installed: see above.")
