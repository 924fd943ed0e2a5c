"""From a proposal to an outcome: rules asked in order, without any I/O of its own.

::

    proposal ──▶ rule ──▶ rule ──▶ … ──▶ outcome ──▶ written ──▶ conclusions
                  │ Accept: go on, perhaps with another state of the same type
                  │ Reject: another state, or none; recorded; later rules see another pair
                  │ Wait, Abort: no state; recorded
                  └ a UnitRule that is concerned: the generator yields and is sent the verdict

A rule is asked only while the pair of types is the one intended at the start.  A rule that was
asked before another changed the pair is *overruled*: what it changed on the run is dropped, what
it took is given back.  Source: rule mechanics of the Prefect 3 orchestration.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

import msgspec

from armillary.orchestration.policies import NO_CHANGE, RunChange
from armillary.orchestration.policy import Policy
from armillary.orchestration.rule import Rule, UnitRule
from armillary.orchestration.states import ANY, Proposal, StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Abort, Accept, Reject, Status, Verdict, Wait


class Ask(msgspec.Struct, frozen=True):
    """The generator needs this rule's :meth:`~UnitRule.reserve` awaited."""

    rule: UnitRule
    transition: Transition


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What shall happen.

    ``state`` is what to write, None if the run stays in its state.  ``refusal`` is the first
    verdict that was not Accept.  ``asked`` are the rules that were asked and stand, in order;
    ``undo`` are unit rules whose takings have to be given back, each with the transition as it
    was when it took them.
    """

    state: Proposal | None
    refusal: Reject | Wait | Abort | None
    change: RunChange
    asked: tuple[Rule, ...]
    undo: tuple[Ask, ...]

    @property
    def status(self) -> Status:
        """The word for this outcome on the wire."""
        match self.refusal:
            case None:
                return Status.ACCEPT
            case Reject():
                return Status.REJECT
            case Wait():
                return Status.WAIT
            case Abort():
                return Status.ABORT


Decision: TypeAlias = Generator[Ask, Verdict, Outcome]


class _Asked(msgspec.Struct):
    rule: Rule
    transition: Transition
    change: RunChange | None
    refused: bool


def decide(policy: Policy, transition: Transition) -> Decision:
    """Ask the policy's rules about a transition; yields only where a rule needs the store."""
    intended = transition.pair
    state: Proposal | None = transition.proposed
    refusal: Reject | Wait | Abort | None = None
    asked: list[_Asked] = []
    for rule in policy.between(*intended):
        if state is None or state.type is not intended[1]:
            if rule.universal:
                asked.append(_Asked(rule, transition, None, refused=False))
            continue
        verdict: Verdict = ACCEPT
        if not isinstance(rule, UnitRule):
            verdict = rule.decide(transition)
        elif rule.concerns(transition):
            verdict = yield Ask(rule, transition)
        if verdict is ACCEPT:  # by far the most frequent, and nothing changes by it
            asked.append(_Asked(rule, transition, None, refused=False))
            continue
        state, change = _put(verdict, state)
        if not isinstance(verdict, Accept):
            refusal = refusal or verdict
        if state is not None:
            transition = msgspec.structs.replace(
                transition, proposed=state, change=transition.change.then(change)
            )
        asked.append(_Asked(rule, transition, change, refused=not isinstance(verdict, Accept)))
    return _conclude(intended, state, refusal, asked)


def _put(verdict: Verdict, state: Proposal) -> tuple[Proposal | None, RunChange | None]:
    """What a verdict puts in the place of the proposal, and what it changes on the run."""
    match verdict:
        case Accept(replacement):
            return replacement or state, verdict.change
        case Reject(_, replacement):
            return replacement, verdict.change
        case Wait() | Abort():
            return None, None


def _conclude(
    intended: tuple[StateType | None, StateType],
    state: Proposal | None,
    refusal: Reject | Wait | Abort | None,
    asked: list[_Asked],
) -> Outcome:
    overruled = state is None or state.type != intended[1]
    standing: list[Rule] = []
    undo: list[Ask] = []
    change = NO_CHANGE
    for entry in asked:
        if not overruled or entry.rule.universal:
            standing.append(entry.rule)
            if entry.change is not None:
                change = change.then(entry.change)
        elif entry.refused:
            change = change.then(entry.change)
            if _concludes_after_refusal(entry.rule, state):
                standing.append(entry.rule)
        elif isinstance(entry.rule, UnitRule):
            undo.append(Ask(entry.rule, entry.transition))
    return Outcome(
        state=state, refusal=refusal, change=change, asked=tuple(standing), undo=tuple(undo)
    )


def _concludes_after_refusal(rule: Rule, state: Proposal | None) -> bool:
    """A rule that refused concludes iff it is about the type that was put instead.

    Where the run stays in its state, only a rule about *any* proposed type concludes.
    """
    return rule.proposed >= ANY if state is None else state.type in rule.proposed
