"""What has been computed under a cache key is not computed again."""

from __future__ import annotations

from armillary.db.unit import Unit
from armillary.orchestration.rule import Phase, UnitRule
from armillary.orchestration.states import Proposal, State, StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Reject, Verdict


class CachedStatesAreReused(UnitRule):
    """Instead of running, a task run takes the newest unexpired state stored under its key."""

    rows = ("2.9 #1",)
    phase = Phase.GUARD
    subjects = frozenset({"task_run"})
    policies = frozenset({"core", "background"})
    proposed = frozenset({StateType.RUNNING})

    def concerns(self, transition: Transition) -> bool:
        """Only with a key, and unless the client wants it computed anew."""
        details = transition.proposed.details
        return bool(details.cache_key) and not details.refresh_cache

    async def reserve(self, transition: Transition, unit: Unit) -> Verdict:
        """Look the key up."""
        from armillary.task_runs.repository import cached_state  # noqa: PLC0415 - it imports us

        key = transition.proposed.details.cache_key or ""
        found = await cached_state(unit, key, transition.now)
        if found is None:
            return ACCEPT
        copy = Proposal(
            type=found.type,
            name="Cached",
            message=found.message,
            data=found.data,
            details=found.details,
        ).detailed(child_flow_run_id=None, transition_id=transition.proposed.details.transition_id)
        return Reject("A state cached under this key was found.", copy)


class CompletedStatesAreCached(UnitRule):
    """A completed state is stored under its key, unless the key is too long.

    Then the answer is a refusal, so that the client warns, though the state is written and
    stored all the same: clients in the field rely on it.
    """

    rows = ("2.9 #10",)
    phase = Phase.REPLACE
    subjects = frozenset({"task_run"})
    policies = frozenset({"core", "background"})
    proposed = frozenset({StateType.COMPLETED})

    def concerns(self, transition: Transition) -> bool:
        """Only with a key that is too long."""
        key = transition.proposed.details.cache_key or ""
        return len(key) > transition.limits.max_cache_key_length

    async def reserve(self, transition: Transition, unit: Unit) -> Verdict:  # noqa: ARG002
        """Refuse with the very state that was proposed."""
        longest = transition.limits.max_cache_key_length
        return Reject(f"The cache key is longer than {longest} characters.", transition.proposed)

    def concludes(self, transition: Transition, written: State) -> bool:  # noqa: ARG002
        """Only with a key."""
        return bool(written.details.cache_key)

    async def conclude(self, transition: Transition, written: State, unit: Unit) -> None:  # noqa: ARG002
        """Store the state under its key."""
        from armillary.task_runs.repository import store_cached_state  # noqa: PLC0415

        key = written.details.cache_key or ""
        await store_cached_state(unit, key, written.details.cache_expiration, written.id)
