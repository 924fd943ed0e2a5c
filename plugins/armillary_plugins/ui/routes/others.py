"""The pages that other plugins add."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from armillary.api import Answer, Call, Handler, Routes
from armillary.errors import PluginFailed
from armillary.forms import Form
from armillary_plugins.ui.actions import see_other
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.site import site_of
from armillary_web.pages import Page, Pages, Sent

if TYPE_CHECKING:
    from armillary import Core

Submit: TypeAlias = Callable[[Call, Form], Awaitable[Sent]]


def routes_of(core: Core, taken: Collection[str]) -> list[Routes]:
    """Declare a route for each page; PluginFailed names whose is at a place that is taken."""
    paths = set(taken)
    made: list[Routes] = []
    handed: list[tuple[str, Pages]] = core.plugins.collect("register_pages")
    for plugin, pages in handed:
        for page in pages.pages:
            if page.path in paths or not page.path.startswith("/"):
                raise PluginFailed(
                    plugin, f"it cannot have its page at {page.path}: choose another"
                )
            paths.add(page.path)
            made.append(_route_of(page))
    return made


@cache
def _route_of(page: Page) -> Routes:
    routes = Routes(tag="Pages", mount="")

    @routes.get(page.path, scope=page.scope)
    async def show_page(call: Call) -> Answer:
        """Show a page of a plugin's."""
        return _rendered(call, page, await page.read(call))

    if page.submit is not None:
        routes.post(page.path, scope=page.scope)(_taker(page, page.submit))
    return routes


def _taker(page: Page, submit: Submit) -> Handler:
    async def take_form(call: Call, body: Form) -> Answer:
        """Take what the form of a plugin's page sends."""
        sent = await submit(call, body)
        if sent.location is not None:
            return see_other(call, sent.location)
        return _rendered(call, page, sent.context, status=422 if sent.wrong else 200)

    return take_form


def _rendered(call: Call, page: Page, context: Mapping[str, Any], *, status: int = 200) -> Answer:
    site = site_of(call.core)
    shell = site.shell(call, page.section or page.path)
    return html_answer(call, site.templates.render(page.template, shell=shell, **context), status)
