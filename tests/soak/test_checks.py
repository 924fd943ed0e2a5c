"""What was acknowledged and is not there is seen."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.soak.checks import at_rest, wrong
from tests.soak.ledger import Acknowledged

A = "00000000-0000-4000-8000-00000000000a"
LOST: dict[str, Callable[[Acknowledged], object]] = {
    f"flow run {A} was acknowledged": lambda ledger: ledger.flow_runs.add(A),
    f"state {A} of run {A} was acknowledged": lambda ledger: ledger.state(A, {"id": A}),
    f"run {A} was acknowledged as COMPLETED": lambda ledger: ledger.finished.update(
        {A: "COMPLETED"}
    ),
    f"run {A} was given to 2 workers": lambda ledger: ledger.claims.update({A: [A, A]}),
    f"event {A} was confirmed": lambda ledger: ledger.events.add(A),
    f"of batch {A} 0 lines": lambda ledger: ledger.logs.update({A: 20}),
    f"lease {A} was given out": lambda ledger: ledger.leases.update({A: time.time() + 60}),
    "somebody has seen it": lambda ledger: ledger.complain("somebody has seen it"),
}


async def test_nothing_is_wrong_where_nothing_was_acknowledged(database_url: str) -> None:
    assert await wrong(database_url, Acknowledged()) == []
    assert await at_rest(database_url, Acknowledged(), leases=True) == []


@pytest.mark.parametrize("sentence", sorted(LOST))
async def test_what_is_lost_is_seen(database_url: str, sentence: str) -> None:
    ledger = Acknowledged(flow_runs={A})
    LOST[sentence](ledger)
    assert any(each.startswith(sentence) for each in await wrong(database_url, ledger))
