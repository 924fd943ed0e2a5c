"""Some seeds of the simulation, and that a seed is the same each time and everywhere."""

import os
import subprocess
import sys

import pytest

from tests.simulation.plan import draw
from tests.simulation.world import carry_out

SEEDS = range(12)
_DIGEST = """
from tests.simulation.plan import draw
from tests.simulation.world import carry_out
print(carry_out(draw(3).cut(300)).digest)
"""


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", SEEDS[:3])
def test_whatever_happens_nothing_acknowledged_is_lost(seed: int) -> None:
    outcome = carry_out(draw(seed))
    assert outcome.wrong == []
    assert outcome.runs


def test_a_seed_gives_the_same_rows_each_time() -> None:
    first, second = carry_out(draw(3).cut(300)), carry_out(draw(3).cut(300))
    assert first == second
    assert first.kills


def test_a_seed_gives_the_same_rows_in_another_process() -> None:
    """Whatever ran before, and however strings are hashed there."""
    carry_out(draw(4).cut(100))
    seeded = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run(
        [sys.executable, "-c", _DIGEST], env=seeded, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == carry_out(draw(3).cut(300)).digest
