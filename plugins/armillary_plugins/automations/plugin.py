"""What automations give to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core
    from armillary.api import Routes


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - they ask the call for it
    """Routes of automations."""
    from armillary_plugins.automations.routes import routes

    return [routes]
