"""Routes of saved searches."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.paging import slice_of
from armillary_plugins.saved_searches import repository
from armillary_plugins.saved_searches.schemas import ListSavedSearches, SavedSearch, SaveSearch

routes = Routes(tag="Saved searches")
_ID = "/saved_searches/{id:uuid}"
_SCOPE = "manage_saved_search"


@routes.put("/saved_searches/", scope=_SCOPE, answers={201: SavedSearch, 200: SavedSearch})
async def save_search(call: Call, body: SaveSearch) -> Answer:
    """Save a search; one of that name is replaced."""
    saved, is_new = await call.write(lambda unit: repository.save(unit, call.core.ids, body))
    return Answer.json(saved, 201 if is_new else 200)


@routes.get(_ID, scope=_SCOPE, answers={200: SavedSearch})
async def get_saved_search(call: Call) -> Answer:
    """Read a saved search."""
    return Answer.json(await repository.read(call.read(), call.path["id"]))


@routes.post("/saved_searches/filter", scope=_SCOPE, answers={200: list[SavedSearch]})
async def filter_saved_searches(call: Call, body: ListSavedSearches) -> Answer:
    """List saved searches by name."""
    span = slice_of(body.limit, body.offset)
    return Answer.json(await repository.list_searches(call.read(), span))


@routes.delete(_ID, scope=_SCOPE)
async def delete_saved_search(call: Call) -> Answer:
    """Delete a saved search."""
    await call.write(lambda unit: repository.delete(unit, call.path["id"]))
    return Answer.empty()
