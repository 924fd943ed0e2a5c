"""How rules combine to an outcome: the first refusal wins, and who is overruled leaves no trace."""

from typing import Any

import msgspec
import pytest

from armillary.orchestration.decision import Ask, decide
from armillary.orchestration.policies import FlowRunPolicy, RunChange
from armillary.orchestration.rule import Phase
from armillary.orchestration.states import ANY, StateType, propose
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import (
    ACCEPT,
    Abort,
    Accept,
    Reject,
    Status,
    Verdict,
    Wait,
)
from tests.core.orchestration.cases import changes
from tests.core.orchestration.examples import (
    a_state,
    decided,
    flow_transition,
    names,
    policy_of,
    rule,
    unit_rule,
)

STARTING = flow_transition("PENDING", "RUNNING")
FAILED = propose(StateType.FAILED)
IDS = ["stays", "replaced", "waits", "aborted"]
COUNTED = RunChange(run_count=7)
REFUSALS: list[Verdict] = [Reject("no"), Reject("no", FAILED), Wait(3, "later"), Abort("never")]


def test_without_rules_the_proposal_is_accepted() -> None:
    outcome = decided(policy_of(), STARTING)
    assert outcome.status is Status.ACCEPT
    assert outcome.state == STARTING.proposed


@pytest.mark.parametrize("refusal", REFUSALS, ids=IDS)
def test_the_first_refusal_wins(refusal: Verdict) -> None:
    policy = policy_of(rule("First", refusal), rule("Second", Abort("second")))
    assert decided(policy, STARTING).refusal == refusal


@pytest.mark.parametrize("refusal", REFUSALS, ids=IDS)
def test_after_a_refusal_nobody_else_is_asked(refusal: Verdict) -> None:
    asked: list[str] = []

    def note(_self: object, _transition: Transition) -> Verdict:
        asked.append("second")
        return ACCEPT

    decided(policy_of(rule("First", refusal), rule("Second", decide=note)), STARTING)
    assert asked == []


def test_a_refusal_with_a_state_of_the_same_type_lets_the_others_be_asked() -> None:
    other = propose(StateType.RUNNING, name="Other")
    named = propose(StateType.RUNNING, name="Named")
    policy = policy_of(rule("First", Reject("odd", other)), rule("Second", Accept(named)))
    outcome = decided(policy, STARTING)
    assert (outcome.status, outcome.state) == (Status.REJECT, named)


def test_of_two_refusals_of_the_same_type_the_first_is_told() -> None:
    policy = policy_of(
        rule("First", Reject("one", STARTING.proposed)), rule("Second", Reject("two", FAILED))
    )
    outcome = decided(policy, STARTING)
    assert outcome.refusal == Reject("one", STARTING.proposed)
    assert outcome.state == FAILED


def test_a_later_rule_sees_what_earlier_ones_made_of_the_proposal_and_the_run() -> None:
    seen: list[Transition] = []

    def note(_self: object, transition: Transition) -> Verdict:
        seen.append(transition)
        return ACCEPT

    named = propose(StateType.RUNNING, name="Named")
    decided(policy_of(rule("First", Accept(named, COUNTED)), rule("Second", decide=note)), STARTING)
    assert (seen[0].proposed, seen[0].change) == (named, COUNTED)


def test_a_rule_is_asked_only_about_its_pair_of_types() -> None:
    elsewhere = rule("Elsewhere", Abort("never"), initial=frozenset({StateType.RUNNING}))
    otherwise = rule("Otherwise", Abort("never"), proposed=frozenset({StateType.PAUSED}))
    assert decided(policy_of(elsewhere, otherwise), STARTING).status is Status.ACCEPT


def test_a_rule_about_none_is_asked_about_runs_without_a_state() -> None:
    first = rule("First", Abort("no state"), initial=frozenset({None}))
    assert decided(policy_of(first), flow_transition("", "RUNNING")).status is Status.ABORT
    assert decided(policy_of(first), STARTING).status is Status.ACCEPT


@pytest.mark.parametrize("refusal", REFUSALS, ids=IDS)
def test_what_an_overruled_rule_changed_on_the_run_is_dropped(refusal: Verdict) -> None:
    policy = policy_of(rule("First", Accept(change=COUNTED)), rule("Second", refusal))
    assert decided(policy, STARTING).change == RunChange()


def test_what_the_refusing_rule_changes_on_the_run_stands() -> None:
    outcome = decided(policy_of(rule("First", Reject("no", FAILED, COUNTED))), STARTING)
    assert outcome.change == COUNTED


def test_later_changes_lie_over_earlier_ones_member_by_member() -> None:
    policy = policy_of(
        rule("First", Accept(change=RunChange(run_count=1, flow_run_run_count=1))),
        rule("Second", Accept(change=RunChange(run_count=2))),
    )
    assert decided(policy, STARTING).change == RunChange(run_count=2, flow_run_run_count=1)


@pytest.mark.parametrize("refusal", REFUSALS, ids=IDS)
def test_what_overruled_rules_took_is_given_back(refusal: Verdict) -> None:
    policy = policy_of(
        unit_rule("ATakes"), unit_rule("BTakes"), rule("Refuses", refusal, phase=Phase.DELAY)
    )
    outcome = decided(policy, STARTING)
    assert names(outcome.undo) == ["ATakes", "BTakes"]
    assert names(outcome.asked) == ["Refuses"]


def test_giving_back_knows_the_transition_as_it_was_when_it_was_taken() -> None:
    named = propose(StateType.RUNNING, name="Named")
    policy = policy_of(
        unit_rule("Takes"),
        rule("Names", Accept(named), phase=Phase.DELAY),
        rule("Refuses", Abort("no"), phase=Phase.REPLACE),
    )
    assert [ask.transition.proposed for ask in decided(policy, STARTING).undo] == [
        STARTING.proposed
    ]


def test_the_rule_that_refuses_gives_nothing_back() -> None:
    policy = policy_of(unit_rule("Takes"))
    assert decided(policy, STARTING, Reject("full", FAILED)).undo == ()


def test_a_rule_that_is_not_concerned_is_not_awaited() -> None:
    policy = policy_of(unit_rule("Takes", concerns=lambda _self, _transition: False))
    with pytest.raises(StopIteration):
        next(decide(policy, STARTING))


def test_a_rule_that_is_concerned_is_awaited_with_what_is_proposed_by_then() -> None:
    named = propose(StateType.RUNNING, name="Named")
    policy = policy_of(rule("Names", Accept(named)), unit_rule("Takes"))
    ask = next(decide(policy, STARTING))
    assert isinstance(ask, Ask)
    assert ask.transition.proposed == named


def test_a_universal_rule_is_never_undone_and_always_concludes() -> None:
    policy = policy_of(
        unit_rule("Takes", universal=True), rule("Refuses", Abort("no"), phase=Phase.DELAY)
    )
    outcome = decided(policy, STARTING)
    assert outcome.undo == ()
    assert "Takes" in names(outcome.asked)


def test_a_universal_rule_concludes_after_a_refusal_that_came_before_it() -> None:
    gives_back = rule("GivesBack", phase=Phase.RELEASE, universal=True, proposed=frozenset())
    policy = policy_of(rule("Refuses", Reject("no", FAILED)), gives_back)
    assert "GivesBack" in names(decided(policy, STARTING).asked)


@pytest.mark.parametrize(
    ("refusal", "about", "concludes"),
    [
        (Reject("no", FAILED), ANY, True),
        (Reject("no", FAILED), {StateType.RUNNING, StateType.FAILED}, True),
        (Reject("no", FAILED), {StateType.RUNNING}, False),
        (Reject("no"), ANY, True),
        (Reject("no"), {StateType.RUNNING, StateType.FAILED}, False),
    ],
)
def test_a_rule_that_refused_concludes_where_it_is_about_what_came_of_it(
    refusal: Reject, about: set[StateType], *, concludes: bool
) -> None:
    outcome = decided(policy_of(rule("Refuses", refusal, proposed=frozenset(about))), STARTING)
    assert bool(outcome.asked) is concludes


def test_conclusions_come_in_reverse_order_each_knowing_what_was_said() -> None:
    heard: list[tuple[str, int | None]] = []

    def say(name: str, count: int) -> Any:
        def afterwards(_self: object, transition: Transition, _written: object) -> RunChange:
            heard.append((name, transition.change.run_count))
            return RunChange(run_count=count)

        return afterwards

    policy = policy_of(
        rule("First", Accept(change=COUNTED), afterwards=say("first", 1)),
        rule("Second", afterwards=say("second", 2)),
    )
    outcome = decided(policy, STARTING)
    assert changes(outcome, STARTING, a_state("RUNNING")) == RunChange(run_count=1)
    assert heard == [("second", 7), ("first", 2)]


def test_a_run_is_no_longer_resuming_before_rules_conclude() -> None:
    resuming = flow_transition("PENDING", "RUNNING", policy=FlowRunPolicy(resuming=True))
    change = changes(decided(policy_of(), resuming), resuming, a_state("RUNNING"))
    assert change.policy == FlowRunPolicy(resuming=False)


def test_a_run_that_stays_in_its_state_stays_resuming() -> None:
    resuming = flow_transition("PENDING", "RUNNING", policy=FlowRunPolicy(resuming=True))
    outcome = decided(policy_of(rule("Refuses", Abort("no"))), resuming)
    assert changes(outcome, resuming, None) == RunChange()


def test_a_verdict_of_none_of_the_others_is_acceptance() -> None:
    outcome = decided(policy_of(rule("Names", Accept(FAILED))), STARTING)
    assert outcome.status is Status.ACCEPT
    assert msgspec.structs.asdict(outcome)["refusal"] is None
