"""Routes of work pools, their queues and workers."""

from armillary.work_pools.routes import lists, pools, queues, workers

ROUTES = (pools.routes, queues.routes, workers.routes, lists.routes)
