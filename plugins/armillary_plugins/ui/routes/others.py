"""The pages that other plugins add."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING

from armillary.api import Answer, Call, Routes
from armillary.errors import PluginFailed
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.site import site_of
from armillary_web.pages import Page, Pages

if TYPE_CHECKING:
    from armillary import Core


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
        site = site_of(call.core)
        shell = site.shell(call, page.path)
        return html_answer(
            call, site.templates.render(page.template, shell=shell, **await page.read(call))
        )

    return routes
