"""No more runs of a deployment are under way than its concurrency limit allows."""

from __future__ import annotations

from datetime import timedelta

from armillary.concurrency import deployments, limits
from armillary.db.unit import Unit
from armillary.orchestration.rule import Phase, UnitRule
from armillary.orchestration.states import ANY, StateDetails, StateType, propose
from armillary.orchestration.transition import Client, Transition
from armillary.orchestration.verdicts import ACCEPT, Abort, Accept, Reject, Verdict

REACHED = "Deployment concurrency limit reached."
_UNDER_WAY = frozenset({StateType.PENDING, StateType.RUNNING, StateType.CANCELLING})
_TAKE_SLOTS_THEMSELVES = frozenset({(3, 0, 0), (3, 0, 1), (3, 0, 2), (3, 0, 3)})


class ClaimedRunsHoldSlotsOfTheirDeployments(UnitRule):
    """Who claims a run takes a slot of its deployment's limit, under a lease the state names.

    A run that kept its slot between two attempts goes on with it.  Where no slot is free the run
    comes back later, or is cancelled, as the deployment says.
    """

    rows = (
        "2.4 #8", "2.4.2 #1", "2.4.2 #2", "2.4.2 #3", "2.4.2 #4", "2.4.2 #5", "2.4.2 #6",
        "2.4.2 #7", "2.4.2 #8", "2.6 #6",
    )  # fmt: skip
    phase = Phase.RESERVE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    initial = frozenset({None, *ANY}) - _UNDER_WAY
    proposed = frozenset({StateType.PENDING})

    def concerns(self, transition: Transition) -> bool:
        """Only with a limit, or a deployment that is gone."""
        run = transition.run
        if run.deployment_id is None or _takes_slots_itself(transition.client):
            return False
        return run.deployment_limit is not None or not run.deployment_found

    async def reserve(self, transition: Transition, unit: Unit) -> Verdict:
        """Take a slot, or say what becomes of the run without one."""
        limit = transition.run.deployment_limit
        if limit is None:
            return Abort("Deployment not found.")
        stored = await limits.read(unit, limit.id)
        if stored is None:
            return ACCEPT
        if stored.limit == 0:
            return Abort("The deployment's concurrency limit is 0, so that none of its runs start.")
        lease_id = await deployments.kept(transition, unit)
        lease_id = lease_id or await deployments.taken(transition, unit)
        if lease_id is not None:
            return Accept(transition.proposed.detailed(deployment_concurrency_lease_id=lease_id))
        if limit.collision_strategy == "CANCEL_NEW":
            return Reject(REACHED, propose(StateType.CANCELLED, message=REACHED))
        again = transition.now + timedelta(seconds=transition.limits.concurrency_slot_wait)
        return Reject(
            REACHED,
            propose(
                StateType.SCHEDULED,
                name="AwaitingConcurrencySlot",
                details=StateDetails(scheduled_time=again),
            ),
        )

    async def undo(self, transition: Transition, unit: Unit) -> None:
        """Give back what was taken here."""
        await deployments.untaken(transition, unit)


def _takes_slots_itself(client: Client) -> bool:
    """Tell whether the client is one of the first workers of version 3."""
    if client.version not in _TAKE_SLOTS_THEMSELVES:
        return False
    return not client.prerelease or (client.version == (3, 0, 0) and client.prerelease == "rc20")
