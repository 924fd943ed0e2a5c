"""A slot of a deployment is held under one lease from the claim to the end of the run."""

from __future__ import annotations

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Accept, Verdict


class DeploymentLeasesStayWithTheirRun(Rule):
    """The id of the lease is copied from state to state, for clients send it as null."""

    rows = ("2.4 #1",)
    phase = Phase.GUARD
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    universal = True

    def decide(self, transition: Transition) -> Verdict:
        """Copy the lease unless the proposal brings one."""
        if transition.initial is None:
            return ACCEPT
        lease = transition.initial.details.deployment_concurrency_lease_id
        proposed = transition.proposed
        if lease is None or proposed.details.deployment_concurrency_lease_id is not None:
            return ACCEPT
        return Accept(proposed.detailed(deployment_concurrency_lease_id=lease))
