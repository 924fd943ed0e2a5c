"""In which order rules are asked: never in that in which they were found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import ConfigError
from armillary.orchestration.policy import Policies, in_order
from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.rules import RULES
from armillary.orchestration.states import ANY, ANY_OR_NONE, StateType
from tests.core.orchestration.examples import POLICIES, names, policy_of, rule


@given(st.permutations(RULES))
def test_the_order_does_not_depend_on_the_order_of_loading(found: list[type[Rule]]) -> None:
    shuffled = Policies(found)
    for mine, theirs in (
        (shuffled.flow_run, POLICIES.flow_run),
        (shuffled.task_run, POLICIES.task_run),
    ):
        assert {name: names(p.rules) for name, p in mine.items()} == {
            name: names(p.rules) for name, p in theirs.items()
        }


def test_phases_come_before_names() -> None:
    late, early = rule("A", phase=Phase.RELEASE), rule("Z", phase=Phase.GUARD)
    assert in_order([late, early]) == [early, late]


def test_a_rule_comes_after_those_it_names() -> None:
    second, first = rule("A", after=frozenset({"Z"})), rule("Z")
    assert in_order([second, first]) == [first, second]


def test_a_rule_may_name_one_that_is_not_there() -> None:
    only = rule("A", after=frozenset({"OfAPluginThatIsOff"}))
    assert in_order([only]) == [only]


def test_rules_that_each_want_to_come_last_are_named() -> None:
    with pytest.raises(ConfigError, match=r"A → B → A|B → A → B"):
        in_order([rule("A", after=frozenset({"B"})), rule("B", after=frozenset({"A"}))])


def test_two_rules_of_one_name_are_named() -> None:
    with pytest.raises(ConfigError, match="Twice"):
        in_order([rule("Twice"), rule("Twice")])


def test_a_policy_has_only_rules_that_stand_in_it() -> None:
    forced = rule("Forced", policies=frozenset({"minimal"}))
    of_tasks = rule("OfTasks", subjects=frozenset({"task_run"}))
    assert names(policy_of(rule("Mine"), forced, of_tasks).rules) == ["Mine"]


@pytest.mark.parametrize("found", RULES, ids=lambda found: found.__name__)
def test_every_rule_stands_somewhere_and_is_asked_about_something(found: type[Rule]) -> None:
    policies = [*POLICIES.flow_run.values(), *POLICIES.task_run.values()]
    standing = [policy for policy in policies if found.__name__ in names(policy.rules)]
    assert standing
    assert any(
        found.__name__ in names(policy.between(initial, proposed))
        for policy in standing
        for initial in ANY_OR_NONE
        for proposed in ANY
    )


@pytest.mark.parametrize("found", RULES, ids=lambda found: found.__name__)
def test_rules_name_only_rules_of_their_own_phase_that_are_there(found: type[Rule]) -> None:
    by_name = {other.__name__: other for other in RULES}
    assert {by_name[name].phase for name in found.after} <= {found.phase}


@given(st.permutations([(initial, proposed) for initial in ANY_OR_NONE for proposed in ANY]))
def test_what_is_asked_about_a_pair_does_not_depend_on_what_was_looked_up_before(
    pairs: list[tuple[StateType | None, StateType]],
) -> None:
    policy = Policies(RULES).of("flow_run", "core")
    for pair in pairs:
        assert names(policy.between(*pair)) == names(POLICIES.of("flow_run", "core").between(*pair))
