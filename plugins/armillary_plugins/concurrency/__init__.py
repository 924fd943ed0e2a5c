"""Hands out slots of concurrency limits, and takes back those whose holders have gone.

Limits are kept by name. Who takes slots of several gets all or none, as a rule under a lease that
has to be renewed; who finds none is told when to ask again. Every `interval` seconds the slots of
leases past their end are given back, and of those without an end whose holders have ended. The
limits of deployments and of tags are the same, under the names `deployment:<id>` and `tag:<tag>`.
"""

from armillary import Manifest
from armillary_plugins.concurrency.config import Config

MANIFEST = Manifest(
    summary="Hands out slots of concurrency limits, and takes back those whose holders have gone.",
    config=Config,
)
