"""The rules and their outcomes as text, for `armillary rules` and the documents."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from armillary.clock import from_micros
from armillary.orchestration import states
from armillary.orchestration.decision import Outcome, decide
from armillary.orchestration.policy import Policies, Policy, in_order
from armillary.orchestration.rule import Rule, UnitRule
from armillary.orchestration.states import ANY, DEFAULT_NAMES, TERMINAL, State, StateType, propose
from armillary.orchestration.transition import FlowRunFacts, Transition
from armillary.orchestration.verdicts import ACCEPT, Abort, Reject, Wait

_LONG_AGO = from_micros(0)


def sentence(rule: type[Rule]) -> str:
    """Write a rule's name as the sentence it is."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", rule.__name__)
    return words[0] + words[1:].lower()


def rules_table(policies: Policies) -> str:
    """Write a table of every rule in the order they are asked in.

    † needs the store; ‡ concludes whatever came of the proposal.
    """
    lines = [
        "| Phase | Rule | of | in | from | to | shown as |",
        "|---|---|---|---|---|---|---|",
    ]
    compiled = [*policies.flow_run.values(), *policies.task_run.values()]
    for rule in in_order({type(rule) for policy in compiled for rule in policy.rules}):
        cells = [
            rule.phase.name,
            f"{sentence(rule)}{_marks(rule)}",
            ", ".join(sorted(subject.replace("_", " ") for subject in rule.subjects)),
            ", ".join(name for name in _names(policies) if name in rule.policies),
            _types(rule.initial),
            _types(rule.proposed),
            ", ".join(rule.rows),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _names(policies: Policies) -> list[str]:
    return list(dict.fromkeys([*policies.flow_run, *policies.task_run]))


def _marks(rule: type[Rule]) -> str:
    return " †" * issubclass(rule, UnitRule) + " ‡" * rule.universal


def _types(kinds: AbstractSet[StateType | None]) -> str:
    if kinds >= ANY:
        return "any"
    excluded = sorted(ANY - kinds)
    if len(excluded) < len(kinds):
        return "any but " + _types(frozenset(excluded))
    if len(kinds) > len(TERMINAL) and kinds >= TERMINAL:
        return ", ".join(["terminal", _types(kinds - TERMINAL)])
    if kinds == TERMINAL:
        return "terminal"
    return ", ".join(kind or "none" for kind in (None, *StateType) if kind in kinds)


def state_chart() -> str:
    """Give the drawing above the state types."""
    drawing = re.search(r"::\n\n(.*?)\n\n(?=\S)", states.__doc__ or "", re.DOTALL)
    return drawing.group(1) if drawing else ""


def outcomes_table(policies: Policies) -> str:
    """Write what the core policy decides about a plain flow run of a deployment.

    Plain: no result, no retries, due already, no process yet; every slot is free.
    """
    policy = policies.of("flow_run", "core")
    lines = [
        "| from \\ to | " + " | ".join(StateType) + " |",
        "|---" * (len(StateType) + 1) + "|",
    ]
    for initial in (None, *StateType):
        cells = [_outcome(policy, initial, proposed) for proposed in StateType]
        lines.append(f"| {initial or 'none'} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _outcome(policy: Policy, initial: StateType | None, proposed: StateType) -> str:
    state = None
    if initial is not None:
        state = State(id="", type=initial, name=DEFAULT_NAMES[initial], timestamp=_LONG_AGO)
    transition = Transition(
        initial=state,
        proposed=propose(proposed),
        now=_LONG_AGO,
        flow_run=FlowRunFacts(id="", deployment_id="", deployment_found=True),
    )
    deciding = decide(policy, transition)
    try:
        next(deciding)
        while True:
            deciding.send(ACCEPT)
    except StopIteration as end:
        outcome: Outcome = end.value
    match outcome.refusal:
        case None:
            return "✓"
        case Wait():
            return "waits"
        case Abort():
            return "aborted"
        case Reject(_, instead):
            return f"{instead.type}" if instead else "stays"
