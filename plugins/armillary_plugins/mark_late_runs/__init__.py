"""Marks runs late when they have not started in time.

Every `interval` seconds, scheduled runs whose start lies more than `after` seconds back get the
state Late.  Nothing else about them changes.
"""

from armillary import Manifest
from armillary_plugins.mark_late_runs.config import Config

MANIFEST = Manifest(
    summary="Marks runs late when they have not started in time.",
    config=Config,
)
