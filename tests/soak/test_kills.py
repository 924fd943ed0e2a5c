"""kill -9 under load, a few times: `make soak` does it a hundred times."""

from pathlib import Path

import pytest

from tests.soak.kills import Plan, kills

A_FEW = Plan(rounds=2, least=0.3, most=0.9, seed=3, patient=False)


@pytest.mark.timeout(240)
async def test_what_was_acknowledged_is_there_after_every_kill(
    database_url: str, tmp_path: Path
) -> None:
    outcome = await kills(database_url, tmp_path, A_FEW, lambda _: None)
    assert outcome.wrong == []
    assert len(outcome.recoveries) == A_FEW.rounds
