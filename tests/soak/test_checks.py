"""What was acknowledged and is not there is seen."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.soak.checks import at_rest, wrong
from tests.soak.ledger import Acknowledged

A = "00000000-0000-4000-8000-00000000000a"
LOST: dict[str, Callable[[Acknowledged], object]] = {
    "flow run": lambda ledger: ledger.flow_runs.add(A),
    "state": lambda ledger: ledger.state(A, {"id": A}),
    "end": lambda ledger: ledger.finished.update({A: "COMPLETED"}),
    "claim": lambda ledger: ledger.claims.update({A: [A, A]}),
    "event": lambda ledger: ledger.events.add(A),
    "log": lambda ledger: ledger.logs.update({A: 20}),
    "lease": lambda ledger: ledger.leases.update({A: time.time() + 60}),
    "sentence": lambda ledger: ledger.complain("somebody has seen something"),
}


async def test_nothing_is_wrong_where_nothing_was_acknowledged(database_url: str) -> None:
    assert await wrong(database_url, Acknowledged()) == []
    assert await at_rest(database_url, Acknowledged(), leases=True) == []


@pytest.mark.parametrize("what", sorted(LOST))
async def test_what_is_lost_is_seen(database_url: str, what: str) -> None:
    ledger = Acknowledged()
    LOST[what](ledger)
    assert len(await wrong(database_url, ledger)) == 1
