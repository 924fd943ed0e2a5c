"""Cancels what a cancelled run leaves behind, and ends cancellations that hang.

Three loops: task runs of cancelled flow runs, subflow runs of cancelled flow runs, and runs that
stay Cancelling for longer than `timeout` seconds because nobody ends them.
"""

from armillary import Manifest
from armillary_plugins.cancellation_cleanup.config import Config

MANIFEST = Manifest(
    summary="Cancels what a cancelled run leaves behind, and ends cancellations that hang.",
    config=Config,
)
