"""The pages' addresses: all outside the API, all GET."""

from armillary_plugins.ui.routes.files import routes as files
from armillary_plugins.ui.routes.home import routes as home
from armillary_plugins.ui.routes.redirects import routes as redirects
from armillary_plugins.ui.routes.run import routes as run
from armillary_plugins.ui.routes.runs import routes as runs
from armillary_plugins.ui.routes.stream import open_stream
from armillary_plugins.ui.routes.task_run import routes as task_run
from armillary_plugins.ui.routes.things import routes as things

PAGES = (home, runs, run, task_run, things, redirects, files)

__all__ = ["PAGES", "open_stream"]
