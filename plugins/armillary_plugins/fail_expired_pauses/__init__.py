"""Fails paused runs that nobody resumed in time.

Every `interval` seconds, paused runs whose pause timeout has passed are moved to Failed, whatever
the other rules say: nobody waits for them any more.
"""

from armillary import Manifest
from armillary_plugins.fail_expired_pauses.config import Config

MANIFEST = Manifest(
    summary="Fails paused runs that nobody resumed in time.",
    config=Config,
)
