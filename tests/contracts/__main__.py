"""Ask servers for every operation of the contract: `make contract`.

Without an address it starts a server on SQLite and one on PostgreSQL, each on an empty database.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import httpx

from tests.contracts.report import Report
from tests.end_to_end.killable import Killable
from tests.servers import find_postgres, running_postgres

_PATIENCE = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make contract", description=__doc__)
    parser.add_argument(
        "--base-url", metavar="URL", help="the address of a server that has nothing in it yet"
    )
    parser.add_argument("--program", metavar="FILE", help="what to start, such as the binary")
    parser.add_argument("--dialect", choices=("sqlite", "postgres", "both"), default="both")
    given = parser.parse_args()
    if given.base_url:
        return told(given.base_url, given.base_url.removesuffix("/").removesuffix("/api"))
    failed = 0
    if given.dialect != "postgres":
        with tempfile.TemporaryDirectory() as folder:
            failed |= asked("SQLite", f"sqlite:///{folder}/armillary.db", given.program)
    if given.dialect != "sqlite":
        with running_postgres(find_postgres()) as postgres:
            url = postgres.database_url(postgres.create_database())
            failed |= asked("PostgreSQL", url, given.program)
    return failed


class _Program(Killable):
    """A server that may be another program than this Python's."""

    program: str | None = None

    def words(self) -> list[str]:
        return [self.program] if self.program else super().words()


def asked(name: str, database_url: str, program: str | None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        server = _Program(Path(folder), database_url)
        server.program = program
        with server.running():
            failed = told(name, server.url.removesuffix("/api"))
        for line in server.faults():
            say(f"{name}: in the log: {line}")
        return failed or bool(server.faults())


def told(name: str, address: str) -> int:
    """Print the report; 1 if anything is missing."""
    report = asyncio.run(made(address))
    say(f"{name}: {report.line}")
    if report.left:
        say(report.faults)
    return bool(report.left)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def made(address: str) -> Report:
    async with httpx.AsyncClient(base_url=address, timeout=_PATIENCE) as client:
        report = Report(client)
        await report.make()
        return report


if __name__ == "__main__":
    sys.exit(main())
