"""Some seeds of the simulation, and that a seed is the same each time."""

import pytest

from tests.simulation.world import simulate


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_nothing_acknowledged_is_lost(seed: int) -> None:
    outcome = simulate(seed, life=900)
    assert outcome.wrong == []
    assert outcome.runs


def test_a_seed_gives_the_same_rows_each_time() -> None:
    first, second = simulate(3, life=600), simulate(3, life=600)
    assert first == second
    assert first.kills
