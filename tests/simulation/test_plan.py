"""What is drawn, left out and cut."""

from tests.simulation.plan import LIFE, Arrival, Kill, draw


def test_a_seed_draws_one_plan() -> None:
    assert draw(5) == draw(5)
    assert draw(5) != draw(6)


def test_every_plan_has_clients_and_most_have_kills() -> None:
    plans = [draw(seed) for seed in range(40)]
    assert all(any(isinstance(step, Arrival) for step in plan.steps) for plan in plans)
    assert sum(any(isinstance(step, Kill) for step in plan.steps) for plan in plans) > 35


def test_a_step_keeps_its_number_and_its_chance_when_others_are_left_out() -> None:
    plan = draw(3)
    kept = plan.keeping({2, 5})
    assert kept.numbers == (2, 5)
    assert all(step in plan.steps for step in kept.steps)


def test_a_plan_that_is_cut_has_nothing_after_its_end() -> None:
    plan = draw(3).cut(400)
    assert plan.life == 400
    assert all(step.at < 400 for step in plan.steps)
    assert draw(3).cut(2 * LIFE) == draw(3)


def test_a_plan_reads_as_a_history() -> None:
    lines = str(draw(3)).splitlines()
    assert len(lines) == len(draw(3).steps) + 1
    assert "arrives" in lines[0]
    assert lines[-1].endswith("everybody is gone")
