"""What clients link to and that has no page of its own yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from armillary.api import Answer, Call, Routes
from armillary.db.unit import Reader
from armillary.errors import NotFound
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.repository import things
from armillary_plugins.ui.schemas import Thing
from armillary_plugins.ui.site import site_of

routes = Routes(tag="Pages", mount="")


@routes.get("/concurrency-limits/concurrency-limit/{id:uuid}", scope="see_concurrency_limits")
async def show_limit(call: Call) -> Answer:
    """Say which concurrency limit this is."""
    return await _show(call, "concurrency limit", things.find_limit, call.path["id"])


async def _show(
    call: Call, kind: str, find: Callable[[Reader, str], Awaitable[Thing | None]], key: str
) -> Answer:
    found = await find(call.read(), key)
    if found is None:
        raise NotFound(f"There is no {kind} {key}: it was deleted, or belongs to another server.")
    site = site_of(call.core)
    shell = site.shell(call, None, live=False)
    return html_answer(call, site.render("thing", shell=shell, thing=found))
