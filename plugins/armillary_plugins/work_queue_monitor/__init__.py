"""Watches workers, pools, queues and deployments, and says when one goes quiet.

Every `interval` seconds: workers without a heartbeat go offline, pools without a worker, and queues
and deployments that nobody polls, become not ready.  Each change of status is an event.
"""

from armillary import Manifest
from armillary_plugins.work_queue_monitor.config import Config

MANIFEST = Manifest(
    summary="Watches workers, pools, queues and deployments, and says when one goes quiet.",
    config=Config,
)
