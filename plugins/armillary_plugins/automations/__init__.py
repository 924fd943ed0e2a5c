"""Keeps what is to be done when something happens, or fails to happen.

An automation is a trigger with actions.  Here they are made, looked through, changed and found
again; those that deployments own are dropped when whoever deploys asks for it.  Nothing here waits
for triggers or acts.
"""

from armillary import Manifest

MANIFEST = Manifest(summary="Keeps what is to be done when something happens, or fails to happen.")
