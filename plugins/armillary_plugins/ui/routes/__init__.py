"""The pages' addresses: all outside the API, all GET."""

from armillary_plugins.ui.routes import files, home, redirects, run, runs, task_run, things
from armillary_plugins.ui.routes.stream import open_stream

PAGES = (
    home.routes,
    runs.routes,
    run.routes,
    task_run.routes,
    things.routes,
    redirects.routes,
    files.routes,
)

__all__ = ["PAGES", "open_stream"]
