"""Starts one server in a fresh home, looks at what it costs, and ends it."""

import contextlib
import http.client
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import servers

START_LIMIT_SECONDS = 120
STOP_LIMIT_SECONDS = 20
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class ServerFailed(Exception):
    """A server did not come up, or ended by itself."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """How a server is started: it gets nothing of our environment that speaks of a server."""

    arguments: tuple[str, ...]
    port: int
    environment: dict[str, str]


class Server:
    """A started server, alone in a process group."""

    def __init__(self, command: Command, log: Path) -> None:
        self.base_url = f"http://127.0.0.1:{command.port}/api"
        self._log = log
        self._port = command.port
        ours = ("PREFECT_", "ARMILLARY_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        begun = time.monotonic()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command.arguments,
                env=environment | command.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_for_health(begun + START_LIMIT_SECONDS)
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.monotonic() - begun

    def _wait_for_health(self, deadline: float) -> None:
        while not self._is_healthy():
            if self._process.poll() is not None:
                raise ServerFailed(f"It ended with {self._process.returncode}: {self.log_end()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"No answer in {START_LIMIT_SECONDS} s: {self.log_end()}")
            time.sleep(0.01)

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", "/api/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def log_end(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    def memory_megabytes(self) -> float:
        """Resident memory of the server and its children; what they share is counted for each."""
        return sum(_resident_bytes(pid) for pid in _with_children(self._process.pid)) / 1e6

    def cpu_share(self, seconds: float) -> float:
        """The share of one core, in percent, that the server takes in the next `seconds`."""
        before, begun = self._cpu_ticks(), time.monotonic()
        time.sleep(seconds)
        ticks, elapsed = self._cpu_ticks() - before, time.monotonic() - begun
        return 100 * ticks / TICKS_PER_SECOND / elapsed

    def _cpu_ticks(self) -> int:
        return sum(_used_ticks(pid) for pid in _with_children(self._process.pid))

    def signal(self, number: int) -> None:
        """Send the server itself, not its children, a signal."""
        self._process.send_signal(number)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_LIMIT_SECONDS)
        # What the server has left behind is in its group, which is named after its first process.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextlib.contextmanager
def running(command: Command, home: Path) -> Iterator[Server]:
    server = Server(command, home / "log")
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def fresh_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def durable_postgres() -> contextlib.AbstractContextManager[servers.Postgres]:
    """A PostgreSQL that keeps what it has acknowledged: that is what is being measured."""
    options = (
        "fsync=on",
        "full_page_writes=on",
        "synchronous_commit=on",
        "listen_addresses=127.0.0.1",
        "max_connections=200",
    )
    return servers.running_postgres(servers.find_postgres(), options)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat behind the program's name, or none when it has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _with_children(root: int) -> set[int]:
    parents = {
        int(folder.name): int(fields[1])
        for folder in Path("/proc").glob("[0-9]*")
        if (fields := _stat(int(folder.name)))
    }
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _used_ticks(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


def _resident_bytes(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[21]) * os.sysconf("SC_PAGE_SIZE") if fields else 0
