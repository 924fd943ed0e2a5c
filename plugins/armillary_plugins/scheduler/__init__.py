"""Creates the runs that deployments' schedules ask for.

Two loops: one looks at every deployment whose schedules have too little ahead, the other, more
often, at deployments that were changed a moment ago.
"""

from armillary import Manifest
from armillary_plugins.scheduler.config import Config

MANIFEST = Manifest(
    summary="Creates the runs that deployments' schedules ask for.",
    config=Config,
)
