"""The route of the catalogue of workers."""

from __future__ import annotations

from functools import lru_cache

from armillary.api import Answer, Call, Routes
from armillary.errors import NotFound
from armillary_plugins.collections.catalogue import VIEW, aggregate, shipped

routes = Routes(tag="Collections")


@routes.get("/collections/views/{view}", scope="see_work_pools", answers={200: dict[str, object]})
async def read_view(call: Call) -> Answer:
    """Read the worker types that ship with the server."""
    view = call.path["view"]
    if view != VIEW:
        raise NotFound(f"There is no view {view!r} of collections; there is {VIEW!r}.")
    return Answer(_encoded())


@lru_cache(maxsize=1)
def _encoded() -> bytes:
    return aggregate(shipped())
