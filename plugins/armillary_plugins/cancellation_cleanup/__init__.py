"""Cancels what a cancelled run leaves behind, and ends cancellations that hang.

Two loops cancel task runs and subflow runs of cancelled flow runs.  A run that becomes Cancelling
has a job look at it after `timeout` seconds, which ends it if nobody has; a third loop sees to
runs that no job looks at.
"""

from armillary import Manifest
from armillary_plugins.cancellation_cleanup.config import Config

MANIFEST = Manifest(
    summary="Cancels what a cancelled run leaves behind, and ends cancellations that hang.",
    config=Config,
)
