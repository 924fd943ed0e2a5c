"""A server that stands still loses its PostgreSQL to the next one, and stops when it wakes."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.soak import checks
from tests.soak.everybody import EVERYBODY
from tests.soak.load import until
from tests.soak.server import Soaked
from tests.soak.several import Spread

Say = Callable[[str], None]
_SETTLES = 60.0
_UNDER_LOAD = 4.0


async def takeover(database_url: str, folder: Path, say: Say) -> list[str]:
    """Freeze the one server there may be, start a second, and wake the first; what was wrong."""
    first, second = (_server(folder / name, database_url) for name in ("first", "second"))
    load = Spread([first], seed=0)
    try:
        await first.recover()
        await load.prepare()
        load.start(EVERYBODY)
        await asyncio.sleep(_UNDER_LOAD)
        first.tell(signal.SIGSTOP)
        load.turn_to([first, second])
        recovery = await second.recover()
        await asyncio.sleep(_UNDER_LOAD)
        first.tell(signal.SIGCONT)
        woken = time.monotonic()
        code = await asyncio.to_thread(first.ended)
        say(
            f"  taken over after {recovery.writing:.1f} s; the first one ended"
            f" {time.monotonic() - woken:.1f} s after it was woken"
        )
        await load.end()
        left: list[str] = []

        async def look() -> bool:
            left[:] = await checks.at_rest(database_url, load.ledger, leases=False)
            return not left

        await until(look, within=_SETTLES)
        wrong = [*left, *await checks.wrong(database_url, load.ledger)]
        wrong += [f"in the log: {line}" for line in second.faults()[:5]]
        return wrong if code == 1 else [*wrong, f"the first one ended with {code}"]
    finally:
        await load.abandon()
        for server in (first, second):
            server.kill()


def _server(folder: Path, database_url: str) -> Soaked:
    folder.mkdir()
    return Soaked(folder, database_url, ARMILLARY_PLUGINS_DISABLE="agent,ui")
