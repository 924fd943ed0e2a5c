"""Routes of deployments, their schedules and runs, and the check of what runs take."""

from armillary.deployments.routes import checks, deployments, lists, runs, schedules

ROUTES = (deployments.routes, schedules.routes, runs.routes, lists.routes, checks.routes)
