"""Routes of limits, of their slots and leases, and of limits on tags."""

from __future__ import annotations

from armillary_plugins.concurrency.routes.limits import routes as limits
from armillary_plugins.concurrency.routes.slots import routes as slots
from armillary_plugins.concurrency.routes.tags import routes as tags

ROUTES = (limits, slots, tags)
