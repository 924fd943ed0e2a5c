"""The server under load: killed at any moment, started again, and measured while it comes back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

from tests.end_to_end.killable import Killable
from tests.soak.asking import Asker, Gone, Hung

HURRIED = {
    "ARMILLARY_ORCHESTRATION_CONCURRENCY_SLOT_WAIT": "0.1",
    "ARMILLARY_CONCURRENCY_INTERVAL": "1",
}
"""Waits of the server that the load would otherwise sit through."""
_COMES_BACK = 60.0


@dataclass(frozen=True)
class Recovery:
    """Seconds from the moment when it is started, or its database is back."""

    answering: float
    writing: float


class Soaked(Killable):
    """A server of a home and a database."""

    def __init__(self, folder: Path, database_url: str, **environ: str) -> None:
        super().__init__(folder, database_url, **HURRIED, **environ)

    async def recover(self) -> Recovery:
        """Start it, and wait until it answers and until it has taken a write."""
        began = time.monotonic()
        self.launch()
        return await self.recovered(began)

    async def recovered(self, began: float) -> Recovery:
        """Wait until it answers and has taken a write; seconds since ``began``."""
        asker = Asker(self.port)
        body = {"name": f"recovered {uuid4()}"}
        try:
            answering = await self._until(asker, ("GET", "/health", None), began)
            return Recovery(answering, await self._until(asker, ("POST", "/flows/", body), began))
        finally:
            asker.close()

    async def _until(self, asker: Asker, request: tuple[str, str, object], began: float) -> float:
        while True:
            assert time.monotonic() - began < _COMES_BACK, self.log()
            try:
                answer = await asker.ask(*request)
            except (Gone, Hung):
                assert self._process.poll() is None, self.log()
            else:
                if answer.good:
                    return time.monotonic() - began
            await asyncio.sleep(0.005)

    def memory(self) -> int:
        """The bytes it has in memory."""
        return self._figure("VmRSS") * 1024

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def _figure(self, name: str) -> int:
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return int(value.split()[0])
        raise AssertionError(name)


def spread(seconds: list[float]) -> str:
    """The least, the middle and the most of some figures."""
    if not seconds:
        return "none"
    return f"min {min(seconds):.2f} s, median {median(seconds):.2f} s, max {max(seconds):.2f} s"
