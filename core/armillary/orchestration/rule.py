"""What a rule is: a sentence that is true afterwards, its place, and its decision."""

from __future__ import annotations

import enum
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from armillary.orchestration.states import ANY, ANY_OR_NONE, State, StateType
from armillary.orchestration.verdicts import ACCEPT, Verdict

if TYPE_CHECKING:
    from armillary.db.unit import Unit
    from armillary.orchestration.policies import RunChange
    from armillary.orchestration.transition import FlowRunFacts, Transition

Subject: TypeAlias = Literal["flow_run", "task_run"]
PolicyName: TypeAlias = Literal["core", "minimal", "late", "background"]


class Phase(enum.IntEnum):
    """When a rule is asked: phases in this order, within one by ``after``, then by name."""

    GUARD = 1
    RESERVE = 2
    DELAY = 3
    REPLACE = 4
    RELEASE = 5


class Rule:
    """A pure rule.  The class's name is a sentence that is true once it was obeyed.

    ``initial`` and ``proposed`` are the types of the *intended* transition it is asked about.
    A rule is asked only while no earlier one has changed that pair.
    """

    rows: ClassVar[tuple[str, ...]]
    """The lines of tests/scenarios/rows.txt that this rule is there for."""
    phase: ClassVar[Phase]
    subjects: ClassVar[AbstractSet[Subject]]
    policies: ClassVar[AbstractSet[PolicyName]]
    initial: ClassVar[AbstractSet[StateType | None]] = ANY_OR_NONE
    proposed: ClassVar[AbstractSet[StateType]] = ANY
    after: ClassVar[AbstractSet[str]] = frozenset()
    """Names of rules of the same phase that are asked before this one."""
    universal: ClassVar[bool] = False
    """Concludes whatever the pair became, and is never undone."""

    def decide(self, transition: Transition) -> Verdict:  # noqa: ARG002 - a rule may only conclude
        """Answer the proposal.  Pure: what is changed on the run is carried in the verdict."""
        return ACCEPT

    def afterwards(self, transition: Transition, written: State | None) -> RunChange | None:  # noqa: ARG002
        """Say what else changes on the run once its columns were derived from the new state.

        Asked only of rules that were asked to decide and were not overruled; ``written`` is
        the new state, None if the run stays in its state.
        """
        return None


class UnitRule(Rule):
    """A rule that takes or gives back something stored: it is awaited inside the unit of work."""

    def concerns(self, transition: Transition) -> bool:  # noqa: ARG002
        """Tell, from the loaded facts alone, whether :meth:`reserve` has anything to do."""
        return False

    async def reserve(self, transition: Transition, unit: Unit) -> Verdict:  # noqa: ARG002
        """Decide with the store at hand, and take what is needed."""
        return ACCEPT

    async def undo(self, transition: Transition, unit: Unit) -> None:
        """Give back what :meth:`reserve` took, because a later rule refused."""

    def concludes(self, transition: Transition, written: State) -> bool:  # noqa: ARG002
        """Tell whether :meth:`conclude` has anything to do once ``written`` is the run's state."""
        return False

    async def conclude(self, transition: Transition, written: State, unit: Unit) -> None:
        """Do what follows from the new state, in the same transaction."""

    async def forget(self, run: FlowRunFacts, state: State | None, unit: Unit) -> None:
        """A flow run is being deleted: give back what it holds."""
