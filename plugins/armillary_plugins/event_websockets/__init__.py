"""Takes events from websockets and streams them to websockets.

`/events/in` takes one event a frame.  `/events/out` takes a filter and streams what it lets
through: first what happened in the last minutes, then what happens, within milliseconds of the
commit.  Whoever reads too slowly misses events, and nobody waits for him.
"""

from armillary import Manifest
from armillary_plugins.event_websockets.config import Config

MANIFEST = Manifest(
    summary="Takes events from websockets and streams them to websockets.",
    requires=("events", "event_persister"),
    aliases=("events_websockets",),
    config=Config,
)
