"""PostgreSQL goes away under load: 503 with Retry-After meanwhile, and all goes on afterwards."""

from pathlib import Path

import pytest

from tests.conftest import required
from tests.servers import find_postgres
from tests.soak.away import absences
from tests.soak.places import faulty_postgres


@pytest.mark.timeout(240)
async def test_while_postgres_is_away_everybody_is_told_so_at_once(tmp_path: Path) -> None:
    required(find_postgres)
    with faulty_postgres() as postgres:
        faults = ("cut", "kill", "stop")
        outcome = await absences(postgres, tmp_path, lambda _: None, faults=faults, away=0.5)
    assert outcome.wrong == []
    assert outcome.recoveries.keys() == set(faults)
