"""The rule by which a cancellation is looked at again when its time is up."""

from __future__ import annotations

from armillary.db.unit import Unit
from armillary.orchestration.rule import Phase, UnitRule
from armillary.orchestration.states import State, StateType
from armillary.orchestration.transition import Transition
from armillary_plugins.cancellation_cleanup import repository


class CancellationsEndInTime(UnitRule):
    """A run that is to be cancelled is Cancelled, by whoever it may be, after a while."""

    rows = ()
    phase = Phase.RELEASE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core", "minimal"})
    proposed = frozenset({StateType.CANCELLING})

    def concludes(self, transition: Transition, written: State) -> bool:  # noqa: ARG002
        """Only where it becomes Cancelling, and is not Cancelled at once."""
        return written.type is StateType.CANCELLING

    async def conclude(self, transition: Transition, written: State, unit: Unit) -> None:
        """Have a job look at it; the job knows when."""
        await repository.look_again(unit, transition.run.id, written.id)
