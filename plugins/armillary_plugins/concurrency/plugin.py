"""What concurrency gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service
    from armillary.api import Routes
    from armillary.events.catalogue import EventType
    from armillary_web.pages import Pages


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - they ask the call for it
    """Routes of limits, slots and leases, and of limits on tags."""
    from armillary_plugins.concurrency.routes import ROUTES

    return list(ROUTES)


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The loop that takes slots back."""
    from armillary_plugins.concurrency.config import Config
    from armillary_plugins.concurrency.services import TakeSlotsBack

    return [TakeSlotsBack(core, core.config(Config))]


@hookimpl
def register_events() -> list[EventType]:
    """Events of limits."""
    from armillary_plugins.concurrency.events import EVENTS

    return list(EVENTS)


@hookimpl(optionalhook=True)
def register_pages() -> list[Pages]:
    """The pages of limits; without those of the plugin ui nobody asks for them."""
    from armillary_plugins.concurrency.pages import PAGES

    return [PAGES]
