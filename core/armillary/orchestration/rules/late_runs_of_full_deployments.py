"""A deployment that cancels new runs while it is full does not let them pile up as late."""

from __future__ import annotations

from armillary.concurrency import limits, slots
from armillary.db.unit import Unit
from armillary.orchestration.rule import Phase, UnitRule
from armillary.orchestration.rules.deployment_slot_at_claim import REACHED
from armillary.orchestration.states import StateType, propose
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Reject, Verdict


class LateRunsOfFullDeploymentsAreCancelled(UnitRule):
    """A run that would turn late is cancelled where its deployment says so and is full."""

    rows = ("2.7 #2",)
    phase = Phase.RESERVE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"late"})
    initial = frozenset({StateType.SCHEDULED})
    proposed = frozenset({StateType.SCHEDULED})

    def concerns(self, transition: Transition) -> bool:
        """Only with a limit that cancels."""
        limit = transition.run.deployment_limit
        return limit is not None and limit.collision_strategy == "CANCEL_NEW"

    async def reserve(self, transition: Transition, unit: Unit) -> Verdict:
        """Count the slots that are taken."""
        limit = transition.run.deployment_limit
        stored = await limits.read(unit, limit.id) if limit else None
        if stored is None or slots.used(stored, unit.micros) < stored.limit:
            return ACCEPT
        return Reject(REACHED, propose(StateType.CANCELLED, message=REACHED))
