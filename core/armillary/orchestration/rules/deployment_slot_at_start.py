"""A run that starts still has the slot it was given when it was claimed."""

from __future__ import annotations

from armillary.concurrency import deployments
from armillary.db.unit import Unit
from armillary.orchestration.rule import Phase, UnitRule
from armillary.orchestration.states import State, StateType, propose
from armillary.orchestration.transition import Client, Transition
from armillary.orchestration.verdicts import ACCEPT, Accept, Reject, Verdict


class StartingRunsStillHoldTheirSlot(UnitRule):
    """The lease of a claim is renewed when the run starts, and replaced if it has run out.

    Where the slot went to somebody else meanwhile the run is cancelled.
    """

    rows = (
        "2.4 #7", "2.4.1 #1", "2.4.1 #2", "2.4.1 #3", "2.4.1 #4", "2.4.1 #5", "2.4.1 #6",
        "2.4.1 #7", "2.6 #4",
    )  # fmt: skip
    phase = Phase.RESERVE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    initial = frozenset({StateType.PENDING})
    proposed = frozenset({StateType.RUNNING})

    def concerns(self, transition: Transition) -> bool:
        """Only with a lease, a client that can renew it, and a limit to hold it of."""
        return (
            transition.proposed.details.deployment_concurrency_lease_id is not None
            and renews_leases(transition.client)
            and transition.run.deployment_limit is not None
        )

    async def reserve(self, transition: Transition, unit: Unit) -> Verdict:
        """Renew the lease, or take a slot anew."""
        lease_id = transition.proposed.details.deployment_concurrency_lease_id
        if lease_id is None or await deployments.renewed(transition, unit, lease_id):
            return ACCEPT
        lease_id = await deployments.taken(transition, unit)
        if lease_id is not None:
            return Accept(transition.proposed.detailed(deployment_concurrency_lease_id=lease_id))
        return Reject(
            "Deployment concurrency limit reached after lease expiry.",
            propose(
                StateType.CANCELLED,
                message="The run lost its slot of the deployment while it was being prepared.",
            ),
        )

    async def undo(self, transition: Transition, unit: Unit) -> None:
        """Give back what was taken anew; a renewal stays."""
        await deployments.untaken(transition, unit)


class ClientsThatCannotRenewKeepTheirSlot(UnitRule):
    """The slot of a client that is unknown or too old for leases is held until the run ends."""

    rows = ("2.4 #9",)
    phase = Phase.RESERVE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    initial = frozenset({StateType.PENDING})
    proposed = frozenset({StateType.RUNNING, StateType.CANCELLING})

    def concludes(self, transition: Transition, written: State) -> bool:  # noqa: ARG002
        """Only with a lease."""
        initial = transition.initial
        return (
            initial is not None
            and initial.details.deployment_concurrency_lease_id is not None
            and not renews_leases(transition.client)
        )

    async def conclude(self, transition: Transition, written: State, unit: Unit) -> None:  # noqa: ARG002
        """Let the lease never end by itself."""
        await deployments.held_for_good(transition, unit)


def renews_leases(client: Client) -> bool:
    """Tell whether a client renews the lease that its run's state names."""
    return client.at_least(3, 4, 11)
