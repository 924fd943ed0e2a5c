"""A server that a test may kill and start again on the same home, port and database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.servers import PLAIN, armillary_program, free_port

SECONDS = 90
"""How long a server may take to answer, or to end; a quiet machine needs a twentieth of it."""


class Killable:
    """One home and one database, with a server on it most of the time."""

    module = ""
    """A module that stands in for the program, for who needs it to behave otherwise."""

    def __init__(self, folder: Path, database_url: str, **environ: str) -> None:
        self.port = free_port()
        self.home = folder / "home"
        self.url = f"http://127.0.0.1:{self.port}/api"
        self.sockets = f"ws://127.0.0.1:{self.port}/api"
        self._log = folder / "server.log"
        self._environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ARMILL")},
            "ARMILLARY_DATABASE_URL": database_url,
            **environ,
        }
        self._process: subprocess.Popen[bytes]

    @contextmanager
    def running(self) -> Iterator["Killable"]:
        """Started until the block ends; then it must end cleanly, as Ctrl+C ends it."""
        self.start()
        try:
            yield self
            assert self.interrupt() == 0, self.log()
        finally:
            self._process.kill()
            self._process.wait()

    def words(self) -> list[str]:
        """The command that is told to start."""
        return [sys.executable, "-m", self.module] if self.module else armillary_program()

    def launch(self) -> None:
        """Start it and go on."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [*self.words(), "start", f"--port={self.port}", f"--home={self.home}",
                 "--no-browser"],
                stdout=log, stderr=subprocess.STDOUT, env=self._environ,
            )  # fmt: skip

    def start(self) -> None:
        """Return once it answers."""
        self.launch()
        end = time.monotonic() + SECONDS
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < end, self.log()
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it as a lack of memory does: nothing of it runs any more."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def interrupt(self) -> int:
        """Press Ctrl+C; the exit code."""
        self.tell(signal.SIGINT)
        return self.ended()

    def tell(self, number: signal.Signals) -> None:
        """Send a signal and go on."""
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        return self._process.wait(SECONDS)

    def log(self) -> str:
        return self._log.read_text()

    def faults(self) -> list[str]:
        """The lines of its log that tell of a fault of its own."""
        words = (" error ", " critical ", "Traceback", "locked")
        return [line for line in self.log().splitlines() if any(word in line for word in words)]

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", verify=PLAIN).json() is True
        except httpx.TransportError:
            return False
