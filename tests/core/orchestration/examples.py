"""States, runs and transitions for tests of orchestration, short to write."""

from datetime import timedelta
from typing import Any

from armillary.orchestration.decision import Ask, Outcome, decide
from armillary.orchestration.policy import Policies, Policy, in_order
from armillary.orchestration.rule import Phase, Rule, UnitRule
from armillary.orchestration.rules import RULES
from armillary.orchestration.states import Proposal, State
from armillary.orchestration.transition import FlowRunFacts, TaskRunFacts, Transition
from armillary.orchestration.verdicts import ACCEPT, Verdict
from tests.core.orchestration.vocabulary import NOW, state_of

POLICIES = Policies(RULES)


def a_state(text: str) -> State:
    """Read a state as cases write it."""
    state = state_of(text)
    assert state is not None
    return state


def a_proposal(text: str) -> Proposal:
    """Read a proposal as cases write it."""
    state = a_state(text)
    return Proposal(
        type=state.type,
        name=state.name,
        message=state.message,
        data=state.data,
        details=state.details,
    )


def flow_transition(initial: str, proposed: str, **facts: Any) -> Transition:
    """Propose a state for a flow run; an empty text is no state."""
    return Transition(
        initial=state_of(initial),
        proposed=a_proposal(proposed),
        now=NOW,
        flow_run=FlowRunFacts(id="r", **facts),
    )


def task_transition(initial: str, proposed: str, **facts: Any) -> Transition:
    """Propose a state for a task run; an empty text is no state."""
    return Transition(
        initial=state_of(initial),
        proposed=a_proposal(proposed),
        now=NOW,
        task_run=TaskRunFacts(id="t", **facts),
    )


def decided(policy: Policy, transition: Transition, *answers: Verdict) -> Outcome:
    """Decide, answering the rules that need the store in turn."""
    deciding = decide(policy, transition)
    waiting = iter(answers)
    try:
        next(deciding)
        while True:
            deciding.send(next(waiting, ACCEPT))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


def code(outcome: Outcome) -> str:
    """Say an outcome as the matrix in rows.txt does."""
    short = {"ACCEPT": "A", "REJECT": "R", "WAIT": "W", "ABORT": "AB"}[outcome.status]
    return f"R>{outcome.state.type}" if short == "R" and outcome.state else short


def rule(name: str, verdict: Verdict = ACCEPT, **attributes: Any) -> type[Rule]:
    """Make a rule that always answers the same."""
    members = {
        "rows": (),
        "phase": Phase.GUARD,
        "subjects": frozenset({"flow_run"}),
        "policies": frozenset({"core"}),
        "decide": lambda _self, _transition: verdict,
        **attributes,
    }
    return type(name, (Rule,), members)


def unit_rule(name: str, **attributes: Any) -> type[UnitRule]:
    """Make a rule that asks for the store."""
    members = {
        "rows": (),
        "phase": Phase.RESERVE,
        "subjects": frozenset({"flow_run"}),
        "policies": frozenset({"core"}),
        "concerns": lambda _self, _transition: True,
        **attributes,
    }
    return type(name, (UnitRule,), members)


def policy_of(*rules: type[Rule]) -> Policy:
    """Compile a policy of these rules."""
    return Policy("flow_run", "core", in_order(rules))


def names(rules: Any) -> list[str]:
    """Name rules, or asks for rules."""
    return [type(found.rule if isinstance(found, Ask) else found).__name__ for found in rules]


def in_seconds(seconds: float) -> Any:
    """Say a time from now."""
    return NOW + timedelta(seconds=seconds)
