"""Two servers on one PostgreSQL, one killed and one frozen: `make soak` has three for minutes."""

from pathlib import Path

import pytest

from tests.soak.everybody import Holder, Person, Reader, Script, Worker
from tests.soak.several import Plan, several

TWO = Plan(
    servers=2,
    seconds=4,
    apart=(0.5, 3),
    frozen=(4.5, 5),
    crowd={Script: 3, Person: 1, Worker: 2, Holder: 4, Reader: 1},
    seed=36,
    patient=False,
)


@pytest.mark.timeout(240)
async def test_several_servers_lose_nothing_and_do_nothing_twice(
    fresh_postgres: str, tmp_path: Path
) -> None:
    outcome = await several(fresh_postgres, tmp_path, TWO, lambda _: None)
    assert outcome.wrong == []
    assert outcome.recoveries
    assert outcome.frozen
    assert outcome.turns
