"""Where a server under load keeps its data: a file, or a PostgreSQL that can be made to fail."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests import servers
from tests.servers import Postgres

DURABLE = (
    "listen_addresses=127.0.0.1",
    "max_connections=60",
    "shared_buffers=64MB",
    "synchronous_commit=on",
)
_OURS = "select pid from pg_stat_activity where datname = '{name}' and pid <> pg_backend_pid()"
_CUT = "select pg_terminate_backend({pid})"
_PATIENCE = 30.0


class Faulty:
    """A PostgreSQL server with one database of ours."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self.name = server.create_database()
        self.url = server.database_url(self.name)

    def backends(self) -> list[int]:
        """The processes that serve us."""
        return [int(line) for line in self._server.execute(_OURS.format(name=self.name)).split()]

    def cut(self, pid: int) -> None:
        """End one connection."""
        self._server.execute(_CUT.format(pid=pid))

    def stop(self) -> None:
        """Stop it as its administrator does: whoever is connected is sent away."""
        self._server.stop("fast")

    def boot(self) -> None:
        """Start it; what is left of one that was killed may be in the way for a moment."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self._server.boot()
            except RuntimeError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
            else:
                return

    def kill(self) -> None:
        """Kill all of it at once, as a crash of the machine's kernel would, its cache kept."""
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def freeze(self) -> None:
        """Let it keep every connection and answer nothing."""
        for pid in self._processes():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for pid in self._processes():
            os.kill(pid, signal.SIGCONT)

    def _processes(self) -> list[int]:
        """The first process and those it has started."""
        pid = int((self._server.folder / "data/postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]


@contextlib.contextmanager
def faulty_postgres() -> Iterator[Faulty]:
    """A server that keeps what it has acknowledged, gone afterwards."""
    with servers.running_postgres(servers.find_postgres(), DURABLE) as server:
        yield Faulty(server)


@contextlib.contextmanager
def database(kind: str) -> Iterator[tuple[str, Path]]:
    """The address of an empty database, and a folder."""
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/armillary.db", Path(folder)
            return
        with faulty_postgres() as postgres:
            yield postgres.url, Path(folder)
