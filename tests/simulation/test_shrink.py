"""That a failing plan becomes as short as it can be, and is told so that it can be replayed."""

from itertools import count

from tests.simulation.outcome import Outcome, Said
from tests.simulation.plan import Plan, draw
from tests.simulation.report import command, told
from tests.simulation.shrink import kind_of, shrink

_RUN = "11111111-2222-4333-8444-555555555555"
_OTHER = "21111111-2222-4333-8444-555555555555"


def _came_to(plan: Plan, wrong: list[str], ended: float = 900.0) -> Outcome:
    said = [Said(1.0, "worker 3", f"POST /{_RUN}", "200"), Said(2.0, "worker 3", "GET /", "200")]
    return Outcome(plan, wrong, ended, kills=1, runs=1, digest="", said=said)


def _fails_with(*needed: int) -> object:
    def carry_out(plan: Plan) -> Outcome:
        fails = set(needed) <= set(plan.numbers)
        return _came_to(plan, [f"after kill 1: run {_RUN} is gone"] if fails else [])

    return carry_out


def test_only_the_steps_that_matter_are_left() -> None:
    plan = draw(3)
    carry_out = _fails_with(2, 6)
    shortest, tried = shrink(carry_out(plan), carry_out, lambda: 0.0)  # type: ignore[operator,arg-type]
    assert shortest.plan.numbers == (2, 6)
    assert tried <= 60


def test_the_life_ends_where_it_went_wrong() -> None:
    carry_out = _fails_with(1)
    failing = _came_to(draw(3), [f"after kill 1: run {_OTHER} is gone"], ended=300.0)
    shortest, _ = shrink(failing, carry_out, lambda: 0.0)  # type: ignore[arg-type]
    assert shortest.plan.life <= 301.0


def test_another_failure_is_not_taken_for_the_same() -> None:
    def carry_out(plan: Plan) -> Outcome:
        whole = plan == draw(3)
        return _came_to(plan, ["at the end: gone" if whole else "at the end: doubled"])

    shortest, _ = shrink(carry_out(draw(3)), carry_out, lambda: 0.0)
    assert shortest.plan == draw(3)


def test_the_search_ends_with_its_budget() -> None:
    clock = count(0, 25)
    carry_out = _fails_with(2, 6)
    _, tried = shrink(carry_out(draw(3)), carry_out, lambda: float(next(clock)))  # type: ignore[operator,arg-type]
    assert tried <= 2


def test_two_of_a_kind_differ_in_ids_and_numbers_only() -> None:
    one = kind_of(f"after kill 1: run {_RUN} went from FAILED to 3")
    assert one == kind_of(f"at the end: run {_OTHER} went from CANCELLED to 12")
    assert one != kind_of(f"at the end: run {_RUN} is gone")


def test_a_failing_seed_is_told_with_the_command_that_replays_it() -> None:
    plan = draw(3).keeping({2, 6}).cut(250.0)
    assert (
        command(plan) == f"make simulate SEED=3 KEEP={','.join(map(str, plan.numbers))} LIFE=250.0"
    )
    assert command(draw(3)) == "make simulate SEED=3"
    assert command(plan.keeping(())).split()[3] == "KEEP=none"
    text = told(_came_to(plan, [f"after kill 1: run {_RUN} is gone"]), 12)
    assert str(plan) in text
    assert f"run {_RUN} is gone" in text
    assert f"worker 3: POST /{_RUN}" in text
    assert "GET /" not in text
    assert text.endswith(command(plan))
