"""The pages' addresses: all outside the API."""

from armillary_plugins.ui.routes import (
    deployment,
    deployments,
    files,
    home,
    pool_changes,
    pools,
    queues,
    redirects,
    run,
    run_actions,
    run_form,
    runs,
    schedules,
    system,
    task_run,
    things,
)
from armillary_plugins.ui.routes.stream import open_stream

PAGES = (
    home.routes,
    runs.routes,
    run.routes,
    run_actions.routes,
    task_run.routes,
    deployments.routes,
    deployment.routes,
    run_form.routes,
    schedules.routes,
    pools.routes,
    pool_changes.routes,
    queues.routes,
    system.routes,
    things.routes,
    redirects.routes,
    files.routes,
)

__all__ = ["PAGES", "open_stream"]
