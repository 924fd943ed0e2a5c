"""The simulation itself on trial: each known defect, put into the real code, must be found.

That the same seeds find nothing in the code as it is, is in `test_seeds.py`.
"""

import time

import pytest

from tests.simulation.plan import draw
from tests.simulation.planted import DEFECTS
from tests.simulation.shrink import shrink
from tests.simulation.world import carry_out

FOUND_FIRST = {
    "agent_not_missed": 4, "lines_left_behind": 10,
    "deleted_by_halves": 5, "double_claim": 1, "event_before_commit": 2,
    "job_acknowledged_early": 5, "lease_kept": 5, "place_forgotten": 1,
    "writer_not_woken": 61,
}  # fmt: skip
"""Where to look first, to be quick; elsewhere seed 3, whose server is killed all the time."""
TRIED = range(100)
"""Where to look then: every change of what is read moves what a seed comes upon."""


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_a_planted_defect_is_found_and_named(name: str) -> None:
    first = FOUND_FIRST.get(name, 3)
    for seed in (first, *TRIED):
        with DEFECTS[name].plant():
            outcome = carry_out(draw(seed))
        if DEFECTS[name].named_by(outcome.wrong):
            return
    pytest.fail(f"none of the seeds {TRIED} sees that {DEFECTS[name].what}")


def test_a_shortened_failure_is_the_same_when_it_is_replayed() -> None:
    whole = draw(3).cut(100)
    with DEFECTS["event_twice"].plant():
        shortest, _ = shrink(carry_out(whole), carry_out, time.monotonic)
        assert carry_out(whole.cut(shortest.plan.life).keeping(shortest.plan.numbers)) == shortest
    assert DEFECTS["event_twice"].named_by(shortest.wrong)
    assert len(shortest.plan.steps) < len(whole.steps) / 2
