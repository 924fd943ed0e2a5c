"""Keeps the automations that deployments own in step with their deployments.

Whoever deploys first asks for the automations the deployment owned before to be dropped; until
automations can be made here there is never one to drop.
"""

from armillary import Manifest

MANIFEST = Manifest(
    summary="Keeps the automations that deployments own in step with their deployments."
)
