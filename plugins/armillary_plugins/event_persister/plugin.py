"""What the event persister gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Consumer, Core


@hookimpl
def register_consumers(core: Core) -> list[Consumer]:
    """The consumer that stores events."""
    from armillary_plugins.event_persister.consumers import StoreEvents

    return [StoreEvents(core)]
