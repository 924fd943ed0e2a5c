"""No more task runs with a tag run than the tag's concurrency limit allows."""

from __future__ import annotations

from armillary.concurrency import tags
from armillary.db.unit import Unit
from armillary.orchestration.rule import Phase, UnitRule
from armillary.orchestration.rules.retry_failed_task_run import spread
from armillary.orchestration.states import State, StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Abort, Verdict, Wait

_JITTER = 0.3
_HOLDING = frozenset({StateType.RUNNING, StateType.CANCELLING})


class TaskRunsHoldSlotsOfTheirTags(UnitRule):
    """A task run takes a slot of every limit on its tags, or waits without any.

    A tag whose limit is zero would keep it waiting for ever, so it is told not to go on.
    """

    rows = ("2.9 #4",)
    phase = Phase.RESERVE
    subjects = frozenset({"task_run"})
    policies = frozenset({"core"})
    proposed = frozenset({StateType.RUNNING})

    def concerns(self, transition: Transition) -> bool:
        """Only with tags."""
        return bool(transition.task.tags)

    async def reserve(self, transition: Transition, unit: Unit) -> Verdict:
        """Take the slots, all or none."""
        task = transition.task
        asked = await tags.asked(unit, task.id, task.tags)
        shut = [limit.name for limit in asked if limit.limit == 0]
        if shut:
            return Abort(f"The concurrency limit {shut[0]!r} is 0, so that no task run of it runs.")
        if await tags.take(unit, task.id, asked, chance=transition.chance):
            return ACCEPT
        longest = max(limit.occupancy for limit in asked)
        mean = min(longest, transition.limits.tag_slot_wait)
        return Wait(
            round(spread(mean, _JITTER, transition.chance)),
            "Every slot of one of the task run's tags is taken.",
        )

    async def undo(self, transition: Transition, unit: Unit) -> None:
        """Give back what was taken here."""
        await tags.untake(unit, transition.task.id, chance=transition.chance)


class TaskRunsThatStopGiveTheirTagSlotsBack(UnitRule):
    """A task run that does not run any more holds no slot of its tags."""

    rows = ("2.9 #11",)
    phase = Phase.RELEASE
    subjects = frozenset({"task_run"})
    policies = frozenset({"core", "background", "minimal"})
    universal = True

    def concludes(self, transition: Transition, written: State) -> bool:
        """Only with tags, and when the run stops."""
        return bool(transition.task.tags) and written.type not in _HOLDING

    async def conclude(self, transition: Transition, written: State, unit: Unit) -> None:  # noqa: ARG002
        """Give them back."""
        await tags.give_back(unit, transition.task.id, transition.task.tags)
