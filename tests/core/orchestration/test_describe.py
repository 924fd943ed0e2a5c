"""What the program says about its rules is what the documents say."""

from collections.abc import Callable
from pathlib import Path

import pytest

from armillary.orchestration.describe import outcomes_table, rules_table, sentence, state_chart
from armillary.orchestration.policy import Policies
from armillary.orchestration.rules import RULES
from armillary.orchestration.states import StateType
from tests.core.orchestration.examples import POLICIES, rule, unit_rule

README = Path(__file__).parents[3] / "core" / "README.md"
Part = Callable[[Path, str, str], None]


@pytest.mark.docs
def test_the_chart_of_states_is_drawn(generated_part: Part) -> None:
    generated_part(README, "chart", f"```\n{state_chart()}\n```")


@pytest.mark.docs
def test_the_outcomes_are_listed(generated_part: Part) -> None:
    generated_part(README, "outcomes", outcomes_table(POLICIES))


@pytest.mark.docs
def test_the_rules_are_listed(generated_part: Part) -> None:
    generated_part(README, "rules", rules_table(POLICIES))


def test_every_rule_has_one_line() -> None:
    table = rules_table(POLICIES)
    assert all(table.count(f"| {sentence(found)} ") == 1 for found in RULES)


def test_the_chart_names_every_type() -> None:
    assert [kind for kind in StateType if kind not in state_chart()] == []


def test_rules_that_touch_the_store_and_those_that_always_conclude_are_marked() -> None:
    takes, gives = unit_rule("TakesSlots"), rule("GivesSlots", universal=True)
    table = rules_table(Policies([takes, gives]))
    assert "| Takes slots † |" in table
    assert "| Gives slots ‡ |" in table


def test_types_are_told_in_few_words() -> None:
    not_running = frozenset(StateType) - {StateType.RUNNING}
    table = rules_table(Policies([rule("Some", initial=frozenset({None}), proposed=not_running)]))
    assert "| none | any but RUNNING |" in table
