"""Routes of deployments, their schedules, and the runs made of them."""

from armillary.deployments.routes import deployments, lists, runs, schedules

ROUTES = (deployments.routes, schedules.routes, runs.routes, lists.routes)
