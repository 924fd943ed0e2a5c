"""The pages that other plugins add."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from armillary.api import Answer, Call, Handler, Routes
from armillary.errors import PluginFailed
from armillary.forms import Form
from armillary_plugins.ui.actions import back_path, confirmed, see_other
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.lists import declare_list
from armillary_plugins.ui.site import site_of
from armillary_plugins.ui.twins import declare_twins
from armillary_web.pages import Action, ListPage, Page, Pages, Question, Sent

if TYPE_CHECKING:
    from armillary import Core

Added: TypeAlias = Page | ListPage | Action
Submit: TypeAlias = Callable[[Call, Form], Awaitable[Sent]]


def routes_of(core: Core, taken: Collection[tuple[str, str]]) -> list[Routes]:
    """Declare routes for what is added; PluginFailed names whose is at a place that is taken."""
    there = set(taken)
    made: list[Routes] = []
    handed: list[tuple[str, Pages]] = core.plugins.collect("register_pages")
    for plugin, pages in handed:
        everything: tuple[Added, ...] = (*pages.pages, *pages.lists, *pages.actions)
        for added in everything:
            routes = _routes_of(added)
            places = {(route.method, route.path) for route in routes.http}
            if places & there or not added.path.startswith("/"):
                raise PluginFailed(
                    plugin, f"it cannot have its page at {added.path}: choose another"
                )
            there |= places
            made.append(routes)
    return made


@cache
def _routes_of(added: Added) -> Routes:
    routes = Routes(tag="Pages", mount="")
    if isinstance(added, ListPage):
        declare_list(
            routes,
            added.path,
            added.read,
            template=added.template,
            scope=added.scope,
            section=added.section,
        )
        declare_twins(routes, added.twin_path or added.path, added.twin, scope=added.scope)
    elif isinstance(added, Action):
        routes.post(added.path, scope=added.scope)(_doer(added))
    else:
        routes.get(added.path, scope=added.scope)(_shower(added))
        if added.submit is not None:
            scope = added.submit_scope or added.scope
            routes.post(added.path, scope=scope)(_taker(added, added.submit))
    return routes


def _shower(page: Page) -> Handler:
    async def show_page(call: Call) -> Answer:
        """Show a page of a plugin's."""
        return _rendered(call, page, await page.read(call))

    return show_page


def _taker(page: Page, submit: Submit) -> Handler:
    async def take_form(call: Call, body: Form) -> Answer:
        """Take what the form of a plugin's page sends."""
        sent = await submit(call, body)
        if sent.location is not None:
            return see_other(call, sent.location)
        return _rendered(call, page, sent.context, status=422 if sent.wrong else 200)

    return take_form


def _doer(action: Action) -> Handler:
    async def do(call: Call, body: Form) -> Answer:
        """Do what a button of a plugin's page says, after it was asked whether that is meant."""
        if action.ask is not None and not confirmed(body):
            return _asking(call, await action.ask(call), action.section)
        return see_other(call, back_path(body, await action.act(call, body)))

    return do


def _asking(call: Call, question: Question, section: str | None) -> Answer:
    site = site_of(call.core)
    shell = site.shell(call, section, live=False)
    return html_answer(call, site.render("confirm", shell=shell, question=question))


def _rendered(call: Call, page: Page, context: Mapping[str, Any], *, status: int = 200) -> Answer:
    site = site_of(call.core)
    shell = site.shell(call, page.section or page.path)
    return html_answer(call, site.templates.render(page.template, shell=shell, **context), status)
