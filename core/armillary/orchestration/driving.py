"""Carrying a decision out inside a unit of work, for either kind of run, and answering it."""

from __future__ import annotations

import msgspec

from armillary.db.unit import Unit
from armillary.orchestration.decision import Ask, Decision, Outcome
from armillary.orchestration.policies import RunChange
from armillary.orchestration.rule import Rule, UnitRule
from armillary.orchestration.states import State
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import Status
from armillary.orchestration.wire import Details, details_of


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a proposal: ``state`` is the run's state now, ``written`` if it is new."""

    status: Status
    state: State | None
    details: Details
    written: bool


async def driven(decision: Decision, unit: Unit) -> Outcome:
    """Run a decision to its end, awaiting the rules that need the store."""
    try:
        ask: Ask = next(decision)
        while True:
            ask = decision.send(await ask.rule.reserve(ask.transition, unit))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


async def undo(outcome: Outcome, unit: Unit) -> None:
    """Give back what overruled rules took, last rule first."""
    for ask in reversed(outcome.undo):
        await ask.rule.undo(ask.transition, unit)


def afterwards(
    outcome: Outcome, transition: Transition, written: State | None, change: RunChange
) -> RunChange:
    """Lay what the standing rules change afterwards over ``change``, last rule first.

    Each of them sees what was changed before it, for a policy is replaced as a whole.
    """
    for rule in reversed(outcome.asked):
        if type(rule).afterwards is Rule.afterwards:
            continue
        known = msgspec.structs.replace(transition, change=change)
        change = change.then(rule.afterwards(known, written))
    return change


def concluding(outcome: Outcome, transition: Transition, written: State) -> list[UnitRule]:
    """List the rules that have something to do after the write, last rule first."""
    return [
        rule
        for rule in reversed(outcome.asked)
        if isinstance(rule, UnitRule) and rule.concludes(transition, written)
    ]


async def conclude(outcome: Outcome, transition: Transition, written: State, unit: Unit) -> None:
    """Let those rules do it."""
    for rule in concluding(outcome, transition, written):
        await rule.conclude(transition, written, unit)


def moved(outcome: Outcome, state: State) -> Decided:
    """Answer that a state was written."""
    return Decided(status=outcome.status, state=state, details=details_of(outcome), written=True)


def unmoved(outcome: Outcome, state: State | None) -> Decided:
    """Answer that the run stays in its state."""
    return Decided(status=outcome.status, state=state, details=details_of(outcome), written=False)
