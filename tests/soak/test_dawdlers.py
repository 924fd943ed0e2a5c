"""Those who dawdle are sent away, and nobody else notices."""

from pathlib import Path

import pytest

from tests.soak.dawdlers import crowd


@pytest.mark.timeout(240)
async def test_a_crowd_that_dawdles_is_sent_away_and_nobody_else_notices(
    copied_sqlite: str, tmp_path: Path
) -> None:
    outcome = await crowd(copied_sqlite, tmp_path, lambda _: None, count=350, patience=1)
    assert outcome.wrong == []
    assert {status[0] for status in outcome.answers} == {"2", "4"}
