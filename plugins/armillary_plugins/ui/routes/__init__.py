"""The pages' addresses: all outside the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary_plugins.ui.routes import (
    deployment,
    deployments,
    files,
    flows,
    home,
    others,
    pool_changes,
    pools,
    queues,
    redirects,
    reference,
    run,
    run_actions,
    run_form,
    run_lists,
    runs,
    schedules,
    system,
    task_run,
)
from armillary_plugins.ui.routes.stream import open_stream

if TYPE_CHECKING:
    from armillary import Core
    from armillary.api import Routes

PAGES = (
    home.routes,
    runs.routes,
    run.routes,
    run_actions.routes,
    run_lists.routes,
    task_run.routes,
    flows.routes,
    deployments.routes,
    deployment.routes,
    run_form.routes,
    schedules.routes,
    pools.routes,
    pool_changes.routes,
    queues.routes,
    system.routes,
    reference.routes,
    redirects.routes,
    files.routes,
)


def pages_of_others(core: Core) -> list[Routes]:
    """Return the routes of the pages that other plugins add; PluginFailed for one that is taken."""
    taken = {(route.method, route.path) for routes in PAGES for route in routes.http}
    return others.routes_of(core, taken)


__all__ = ["PAGES", "open_stream", "pages_of_others"]
