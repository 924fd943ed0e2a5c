"""Moves events from the outbox into the event store.

It follows the topic of events from where it last was: what comes again after a restart is already
there and is left out.
"""

from armillary import Manifest

MANIFEST = Manifest(
    summary="Moves events from the outbox into the event store.",
    requires=("events",),
    aliases=("ladler",),
)
