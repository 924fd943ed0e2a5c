"""What the collections give to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core
    from armillary.api import Routes


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - the catalogue is the same for all
    """The route of the catalogue of workers."""
    from armillary_plugins.collections.routes import routes

    return [routes]
